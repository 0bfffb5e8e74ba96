import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { WritingReason } from "../../kernel/ground/writing.ts";
import { isLive } from "../../kernel/state.ts";
import { namesIn, type Named } from "../../library/explain/words.ts";
import type { Who } from "../../library/lease/holder.ts";
import { WHOLE_WORKER_ID } from "../../library/lease/options.ts";
import type { PathDocument } from "../../library/lease/path-verdict.ts";
import { Refused } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { HOLDER_HELP } from "../ground/acquiring.ts";
import { holderOption } from "../ground/asked.ts";
import { atDesk } from "../ground/desk.ts";
import { holderWithName } from "../ground/lease-said.ts";
import { coloursFor } from "../text/colour.ts";
import { integerText } from "../text/integer.ts";
import { patternNote } from "../text/path-note.ts";
import { plainText, shortText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const check: Verb = {
  name: "lease check",
  summary: "Say whether somebody may write to paths, and by which lease",
  details:
    "Answers for each path whether the holder may write it now: exit 0 when that is so for all, " +
    "else it is refused as not_writable. Paths begin at the current folder, unlike the patterns " +
    "of a region, which begin at the repository's root, and are no patterns themselves; links " +
    "and `..` are followed, and what does not exist is where it would be made. A folder is " +
    "judged as a path of its own, not with what lies in it: BELOW names live leases there. " +
    "`port:8080` is a resource of that namespace, as in patterns; a file that is called so is " +
    "./port:8080. With --fence only the " +
    "lease of just that fence gives the right. Ground that nobody has leased may be " +
    "written unless --strict is given, or the fleet requires a lease. What is true at this " +
    "instant may be over at the next: a check keeps nobody from writing." +
    `\n\n${HOLDER_HELP}`,
  parameters: "<paths...>",
  options: [
    {
      flags: "--holder <holder>",
      description: "who would write (required; a worker leaves it out)",
      parse: holderOption("--holder"),
    },
    {
      flags: "--fence <fence>",
      description: "the fence of the lease under which it would be written",
      parse: integerText("--fence", 1),
    },
    { flags: "--strict", description: "free ground may not be written either" },
  ],
  examples: [
    "stint lease check src/api/users.ts --holder alice",
    "stint lease check src/api/users.ts docs/api.md --holder w-abcd --fence 17 --json",
  ],
  isForWorkers: true,
  run,
};

/** The verb that judges paths. */
export const VERBS: readonly Verb[] = [check];

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const paths = readPaths(parameters.flat() as readonly string[]);
  const typed = options as {
    readonly holder?: string;
    readonly fence?: number;
    readonly strict?: boolean;
  };
  for (const path of new Set(paths)) {
    const patterned = patternNote(path);
    if (patterned !== undefined) call.note(patterned);
  }
  const asked: { who?: Who } = {};
  const judged = await atDesk(call, async (desk) => {
    const holder = typed.holder ?? desk.self;
    if (holder === null) throw wrong("--holder", "who would write", "nothing");
    const { fence, strict = false } = typed;
    const order = { paths, cwd: process.cwd(), strict };
    const who = await desk.findWho(holder, "--holder");
    if (desk.self !== null && !("worker" in who))
      throw wrong("--holder", "left out: a worker asks for itself", describeValue(holder));
    asked.who = who;
    return desk.check(fence === undefined ? order : { ...order, fence }, who);
  });
  const refused = judged.filter(({ allowed }) => !allowed);
  const documents = judged.map((one): JsonObject => ({ ...one }));
  const named = await namesFor(call, judged);
  const table = textOf(call, judged, named);
  if (refused.length === 0) return { data: { paths: documents }, text: table };
  call.print(table);
  const gone = await whoIsGone(call, asked.who);
  throw notWritable(documents, refused, { fence: typed.fence, gone });
}

function readPaths(paths: readonly string[]): readonly string[] {
  const { pathsCheckedMax: most } = LIMITS;
  if (paths.includes("")) throw wrong("PATHS", "paths, each of at least one character", '""');
  if (paths.length <= most) return paths;
  const problem = { path: "PATHS", expected: `at most ${most}`, got: String(paths.length) };
  throw new InputError("limit_exceeded", [problem]);
}

/** How many paths that may not be written are named in the message. */
const namedMax = 5;

function notWritable(
  paths: readonly JsonObject[],
  refused: readonly PathDocument[],
  { fence, gone }: { readonly fence: number | undefined; readonly gone: string },
): Refused {
  const named = refused.slice(0, namedMax).map((one) => {
    const why = fence === undefined ? undefined : whyByFence(one, fence);
    return `${JSON.stringify(one.path)} ${why ?? WHY[one.reason]}${byWhom(one)}`;
  });
  const more = refused.length - named.length;
  const rest = more === 0 ? "" : `; and ${more} more`;
  const message =
    `every path must be writable, ${refused.length} of ${countText(paths.length, "path")} ` +
    `may not be written: ${named.join("; ")}${rest}${gone}`;
  return new Refused({ code: "not_writable", message, facts: { paths: [...paths] } });
}

const WHY: Readonly<Record<WritingReason, string>> = {
  held_by_you: "is held",
  free: "is leased by nobody, and a lease is required",
  held_by_other: "is held by another",
  fence_stale: "is held under a newer fence",
  lapsed: "is leased no more",
  shared_only: "is held to be read alone",
  outside_repository: "is no file of the fleet's ground",
  outside_rights: "is outside of the worker's rights",
  fleet_killed: "is ground of a fleet that was killed",
  undecided: "takes more to decide than is looked at: ask about fewer paths at once",
};

/** Of a fence it is told which it had to be; that it was ever another lease's nobody has said. */
function whyByFence({ reason, fence: needed }: PathDocument, fence: number): string | undefined {
  if (reason === "fence_stale") return `is held under fence ${String(needed)}, not ${fence}`;
  return reason === "lapsed" ? `is in no live lease of fence ${fence}` : undefined;
}

function byWhom({ holder, lease_id, fence }: PathDocument): string {
  if (lease_id === null || holder === null) return "";
  return ` (${JSON.stringify(holder)}, ${lease_id}, fence ${String(fence)})`;
}

function textOf(call: Call, judged: readonly PathDocument[], named: Named): string {
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: judged,
    columns: [
      { head: "PATH", cell: ({ path }) => plainText(path) },
      {
        head: "WRITE",
        cell: ({ allowed }) => (allowed ? colours.green("yes") : colours.red("no")),
      },
      { head: "WHY", cell: ({ reason }) => reason },
      { head: "LEASE", cell: ({ lease_id: lease }) => lease ?? "" },
      {
        head: "HOLDER",
        cell: ({ holder }) => shortText(holderWithName(holder ?? "", named), holderCharsMax),
      },
      { head: "BELOW", cell: ({ below = [] }) => belowText(below) },
    ],
  });
}

/** The names of workers, where a worker is among the holders and who asks may know. */
async function namesFor(call: Call, judged: readonly PathDocument[]): Promise<Named> {
  const isNeeded = judged.some(({ holder }) => holder !== null && WHOLE_WORKER_ID.test(holder));
  if (!isNeeded || call.isJson || call.workerTokenFile !== undefined) return () => undefined;
  return namesIn((await call.read()).state);
}

/** Of a worker that was asked about, and does not live: that it has ended, or never was. */
async function whoIsGone(call: Call, who: Who | undefined): Promise<string> {
  if (who === undefined || !("worker" in who) || call.workerTokenFile !== undefined) return "";
  const { state } = await call.read();
  const worker = state.workers.get(who.worker);
  if (worker !== undefined && isLive(worker)) return "";
  // Few calls come this far, and none is to wait for what it does not need.
  const { findKnown } = await import("../record/names.ts");
  const { withJournal } = await import("../record/open-journal.ts");
  const id = await withJournal(call, (journal) => findKnown(journal, who.worker));
  const text = JSON.stringify(who.worker);
  if (id === undefined) return `; no live worker has the id or name ${text}`;
  return id === who.worker ? `; ${id} has ended` : `; ${id}, called ${text}, has ended`;
}

/** How much of a holder is shown in the table, characters, and how many leases below a path. */
const holderCharsMax = 32;
const belowShownMax = 3;

function belowText(below: readonly string[]): string {
  const more = below.length > belowShownMax ? " …" : "";
  return `${below.slice(0, belowShownMax).join(" ")}${more}`;
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
