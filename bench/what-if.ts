import type { Command } from "../src/kernel/command.ts";
import type { Entry } from "../src/kernel/entry.ts";
import { DEFAULT_CONTRACT, type Contract } from "../src/kernel/fleet/contract.ts";
import { freshInstanceId } from "../src/runtime/base32.ts";
import { sha256Of } from "../src/runtime/canonical.ts";
import { replay } from "../src/runtime/replay.ts";
import { tryRules } from "../src/runtime/replaying/what-if.ts";
import { systemRandom } from "../src/system/random.ts";
import { give, makeFolder, openFleetIn, OPERATOR, type BenchFleet } from "./fleet.ts";
import { perSecond, type Bench, type Course, type Trials } from "./measure.ts";

const COMMANDS = 200_000;
const PER_SECOND = 50_000;

/** How many parties are at work at the same time; all that they ask shares an append. */
const PARTIES = 120;

/** What a party asks in one turn: a worker's life, a lease's, and one that is refused. */
const COMMANDS_PER_TURN = 7;

const random = systemRandom();

/** As many refusals are on record as there were. */
const RECORDED: Contract = {
  ...DEFAULT_CONTRACT,
  max_replicas: 100_000,
  max_total: 1_000_000_000,
  refusals_per_minute: 100_000,
};

/** A few workers less at once: little is moot, for what is moot costs next to nothing. */
const OTHER: Contract = { ...RECORDED, max_replicas: PARTIES - 4 };

/** Commands asked again under another contract, against reading and folding the same journal. */
export const whatIf: Bench = {
  name: `what-if: ${COMMANDS.toLocaleString("en-US")} commands under another contract`,
  unit: "commands/s",
  floorName: "read, verify, fold the same",
  target: { atLeast: PER_SECOND },
  rounds: 5,
  async prepare(course): Promise<Trials> {
    const folder = await makeFolder();
    try {
      const fleet = await openFleetIn(folder.path);
      await lengthen(fleet, course);
      const { document } = await ask(fleet);
      const count = document.command_count;
      return {
        floor: () => perSecond(count, async () => void (await replay(fleet.journal))),
        measure: () => perSecond(count, async () => void (await ask(fleet))),
        async close() {
          await fleet.close();
          await folder.remove();
        },
      };
    } catch (error) {
      await folder.remove();
      throw error;
    }
  },
};

async function ask({ journal }: BenchFleet) {
  const tried = await tryRules(journal, { contract: OTHER }, { shownMax: 100 });
  if (!tried.ok) throw new Error(tried.refusal.message);
  const { granted_to_refused, refused_to_granted } = tried.document.different_by;
  if (granted_to_refused === 0) throw new Error("the other contract must refuse something");
  if (refused_to_granted > 0) throw new Error("a tighter contract must grant nothing more");
  return tried;
}

/** Has the real loop decide that many commands; every one of them leaves an entry. */
async function lengthen({ loop }: BenchFleet, course: Course): Promise<void> {
  await give(loop, { kind: "contract.enact", data: { contract: RECORDED } });
  for (let made = 0; made < COMMANDS; made += PARTIES * COMMANDS_PER_TURN) {
    course.signal.throwIfAborted();
    course.tell(`preparing, command ${made.toLocaleString("en-US")}`);
    await Promise.all(Array.from({ length: PARTIES }, (_, party) => takeTurn(loop, party)));
  }
}

async function takeTurn(loop: BenchFleet["loop"], party: number): Promise<void> {
  const instance = freshInstanceId(random);
  const name = `party-${party}`;
  const birth = { instance, name, parent: null, reason: "bench", state: {}, budget: {} };
  const [admitted] = await give(loop, { kind: "worker.admit", data: birth });
  const { manifest } = (admitted as Entry<"worker.admitted">).data;
  await give(loop, { kind: "worker.register", data: { manifest, envelope: "valid" } });
  const holder = { name, nonce: "b".repeat(26), token_hash: sha256Of(name) };
  const region = [`src/part-${party}/**`];
  const asked = { region, holder, ttl_ms: 300_000 };
  const [granted] = await give(loop, { kind: "lease.acquire", data: asked });
  const lease = `l-${granted?.seq}`;
  const other = { name: `other-${party}`, nonce: "c".repeat(26), token_hash: sha256Of("other") };
  const rival: Command = { kind: "lease.acquire", data: { ...asked, holder: other } };
  const answer = await loop.submit(rival, OPERATOR);
  if (answer.ok) throw new Error("ground that is held must be refused");
  const claim = { name, token_hash: holder.token_hash };
  const narrower = [`src/part-${party}/inner/**`];
  await give(loop, { kind: "lease.narrow", data: { lease, claim, region: narrower } });
  await give(loop, { kind: "lease.release", data: { lease, claim } });
  const evidence = { grade: "settled", facts: {} } as const;
  const outcome = { exit_code: 0 };
  await give(loop, { kind: "worker.exited", data: { worker: instance, evidence, outcome } });
}
