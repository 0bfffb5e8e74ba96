import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { WritingReason } from "../../kernel/ground/writing.ts";
import type { PathDocument } from "../../library/lease/path-verdict.ts";
import { Refused } from "../../library/refused.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { HOLDER_HELP } from "../ground/acquiring.ts";
import { holderOption } from "../ground/asked.ts";
import { atDesk } from "../ground/desk.ts";
import { coloursFor } from "../text/colour.ts";
import { integerText } from "../text/integer.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const check: Verb = {
  name: "lease check",
  summary: "Say whether somebody may write to paths, and by which lease",
  details:
    "Answers for each path whether the holder may write it now: exit 0 when that is so for all, " +
    "else it is refused as not_writable. Paths begin at the current folder; links and `..` are " +
    "followed, and what does not exist is where it would be made. With --fence an older one than " +
    "that of the lease which has the path gives nothing. Ground that nobody has leased may be " +
    "written unless --strict is given, or the fleet requires a lease. What is true at this " +
    "instant may be over at the next: a check keeps nobody from writing." +
    `\n\n${HOLDER_HELP}`,
  parameters: "<paths...>",
  options: [
    {
      flags: "--holder <holder>",
      description: "who would write",
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
  const judged = await atDesk(call, async (desk) => {
    const holder = typed.holder ?? desk.self;
    if (holder === null) throw wrong("--holder", "who would write", "nothing");
    const { fence, strict = false } = typed;
    const order = { paths, cwd: process.cwd(), strict };
    const who = await desk.findWho(holder, "--holder");
    return desk.check(fence === undefined ? order : { ...order, fence }, who);
  });
  const refused = judged.filter(({ allowed }) => !allowed);
  const documents = judged.map((one): JsonObject => ({ ...one }));
  if (refused.length > 0) throw notWritable(documents, refused);
  return { data: { paths: documents }, text: textOf(call, judged) };
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

function notWritable(paths: readonly JsonObject[], refused: readonly PathDocument[]): Refused {
  const named = refused.slice(0, namedMax).map((one) => {
    return `${JSON.stringify(one.path)} ${WHY[one.reason]}${byWhom(one)}`;
  });
  const more = refused.length - named.length;
  const rest = more === 0 ? "" : `; and ${more} more`;
  const message =
    `every path must be writable, ${refused.length} of ${countText(paths.length, "path")} ` +
    `may not be written: ${named.join("; ")}${rest}`;
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
};

function byWhom({ holder, lease_id, fence }: PathDocument): string {
  if (lease_id === null || holder === null) return "";
  return ` (${JSON.stringify(holder)}, ${lease_id}, fence ${String(fence)})`;
}

function textOf(call: Call, judged: readonly PathDocument[]): string {
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: judged,
    columns: [
      { head: "PATH", cell: ({ path }) => plainText(path) },
      { head: "WHY", cell: ({ reason }) => reason },
      { head: "LEASE", cell: ({ lease_id: lease }) => lease ?? "" },
    ],
  });
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
