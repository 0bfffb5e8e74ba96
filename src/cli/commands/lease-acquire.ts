import type { JsonObject } from "../../kernel/json.ts";
import type { DeskAnswer } from "../../library/desk/desk.ts";
import { AGAIN_MAX, keepsEnding } from "../../library/lease/lost.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import {
  ACQUIRE_OPTIONS,
  HOLDER_HELP,
  readAcquire,
  type TypedAcquire,
} from "../ground/acquiring.ts";
import { atDesk } from "../ground/desk.ts";
import { heldDocument, heldText } from "../ground/lease-said.ts";
import { tellingPlace } from "../queue/telling.ts";
import { plainText } from "../text/plain.ts";
import type { Given, Verb } from "../verb.ts";

const acquire: Verb = {
  name: "lease acquire",
  summary: "Acquire a lease on ground: a lane, or a region of files",
  details:
    "Grants the holder a right to ground for a time, unless a live lease of anybody's is in the " +
    "way, the holder's own others included; the refusal names it and a resource that both have. " +
    "What the holder has already is the answer again: the lease on the same ground, or the one " +
    "that --key made. A lane is meant by its exact name or alias, and no other is taken in its " +
    "stead; --any takes the first of several that can be had, and says why not those before it. " +
    "Patterns begin at the repository's root, wherever it is called. With --wait it takes a " +
    "place in the queue where others have the ground, and nobody who comes later passes it. It " +
    "ends with the lease, or refused: wait_timeout when the time is up, wait_deadlock when those " +
    "it waits for wait for it. Ctrl-C leaves the queue. " +
    `A lane with slots gives one of them, other ground is exclusive.\n\n${HOLDER_HELP}`,
  options: ACQUIRE_OPTIONS,
  examples: [
    "stint lease acquire --lane api --holder w-abcd",
    "stint lease acquire --region 'src/api/**' --exclude 'src/api/gen/**' --holder 'ci job 7'",
    "stint lease acquire --any api,web,docs --holder alice --ttl 15m --key nightly --json",
    "(umask 077; stint lease acquire --lane api --holder ada --json | jq -r .data.token > token)",
    "stint lease acquire --lane api --holder ada --wait 10m",
  ],
  isForWorkers: true,
  run,
};

/** The verb that acquires a lease. */
export const VERBS: readonly Verb[] = [acquire];

async function run(call: Call, { options }: Given): Promise<Said> {
  return atDesk(call, async (desk) => {
    const typed = options as TypedAcquire;
    const request = await readAcquire(call, typed);
    const holder = typed.holder ?? desk.self ?? undefined;
    if (holder === undefined)
      throw new InputError("usage", [
        { path: "--holder", expected: "who is to hold the lease", got: "nothing" },
      ]);
    for (let again = 0; again < AGAIN_MAX; again += 1) {
      const named = await desk.nameHolder(holder, "--holder");
      const data = { ...request, holder: named.holder };
      const giving = { named, signal: call.signal, onPlace: tellingPlace(call, typed.wait) };
      const answer = await desk.give({ kind: "lease.acquire", data }, giving);
      // Absent: what the holder had already has ended since; then it is to be asked for anew.
      if (answer.lease !== undefined) return say(call, answer, answer.lease);
    }
    throw keepsEnding("lease.acquire");
  });
}

/** A field of a document that is a text. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function say(call: Call, answer: DeskAnswer, lease: NonNullable<DeskAnswer["lease"]>): Said {
  const { seq, entries } = answer;
  const granted = entries.find((entry) => entry.kind === "lease.granted");
  const passed = granted?.data.passed_over ?? [];
  const lines = passed.map(({ lane, code }) => `passed over ${textOf(lane)}: ${textOf(code)}`);
  const doing = granted === undefined ? "is held already" : "granted";
  const widened = granted?.data.widened_from;
  if (widened !== undefined)
    lines.push(
      `widened to whole folders, for the contract's widen is "directory"; asked for: ` +
        widened.join(" "),
    );
  const data: JsonObject = {
    ...heldDocument(lease, answer),
    is_new: granted !== undefined,
    widened_from: widened === undefined ? null : [...widened],
    passed_over: [...passed],
  };
  const held = heldText(call, lease, { ...answer, doing });
  return { data, text: [...lines.map(plainText), held].join("\n"), seq };
}
