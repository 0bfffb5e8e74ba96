import type { CommandMap } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { writeDuration } from "../../config/amount.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call } from "../call.ts";
import type { VerbOption } from "../verb.ts";
import {
  anyOption,
  askedGround,
  askedMode,
  holderOption,
  keyOption,
  laneOption,
  patternOption,
  regionOf,
  ttlOption,
  waitOption,
  worktreeOption,
} from "./asked.ts";
import { noteFolders } from "./folder-note.ts";
import { meantWorktree } from "./worktree.ts";

/** Marks an entry as part of something that its caller does. */
export const RUN_ID_OPTION: VerbOption = {
  flags: "--run-id <id>",
  description: "for the record: the run that this is part of",
  parse: keyOption("--run-id"),
};

/** How long a lease is to last; without it as long as before. */
export const TTL_OPTION: VerbOption = ttlOptionOf("as before");

/** How long a lease that is new is to last. */
export const NEW_TTL_OPTION: VerbOption = ttlOptionOf(writeDuration(LIMITS.leaseTtlMsDefault));

function ttlOptionOf(otherwise: string): VerbOption {
  const { leaseTtlMsMin: least, leaseTtlMsMax: most } = LIMITS;
  return {
    flags: "--ttl <duration>",
    description:
      `how long it lasts unless it is renewed, ${writeDuration(least)} to ` +
      `${writeDuration(most)} (default: ${otherwise})`,
    parse: ttlOption,
  };
}

/** Which worktree is meant. */
export const WORKTREE_OPTION: VerbOption = {
  flags: "--worktree <name>",
  description: "where worktrees have ground of their own: on whose (default: the one here)",
  parse: worktreeOption,
};

/** A part of a lease: each option takes one pattern, so that no id that follows is one of them. */
export const PART_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--region <pattern>",
    description: "the part, as a pattern from the repository's root; may be repeated",
    parse: patternOption("--region"),
    isList: true,
    isRequired: true,
  },
  {
    flags: "--exclude <pattern>",
    description: "what the region leaves out; may be repeated",
    parse: patternOption("--exclude"),
    isList: true,
  },
];

/** What is asked for a lease; `lease with` takes the same. */
export const ACQUIRE_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--lane <lane>",
    description: "a lane, by its name or an alias; it, --any or --region is required",
    parse: laneOption("--lane"),
  },
  {
    flags: "--any <lanes>",
    description: "lanes with commas between: the first that can be had, in this order",
    parse: anyOption,
  },
  {
    flags: "--region <patterns...>",
    description: "ground, as patterns of paths from the repository's root; quote them",
    parse: patternOption("--region"),
    isList: true,
  },
  {
    flags: "--exclude <patterns...>",
    description: "what the region leaves out",
    parse: patternOption("--exclude"),
    isList: true,
  },
  {
    flags: "--holder <holder>",
    description: "who is to hold it (required, but from a worker)",
    parse: holderOption("--holder"),
  },
  { flags: "--exclusive", description: "may write, and nobody else holds any of it (default)" },
  { flags: "--shared", description: "relies on nobody writing, and may not write" },
  { flags: "--slot", description: "one of the slots of the lane (default on a lane with slots)" },
  NEW_TTL_OPTION,
  {
    flags: "--wait <duration>",
    description: "waits so long for what others have, first come, first served (default: not)",
    parse: waitOption,
  },
  {
    flags: "--key <key>",
    description: "makes asking again safe: the live lease that it made is the answer",
    parse: keyOption("--key"),
  },
  RUN_ID_OPTION,
  {
    flags: "--also-held <patterns...>",
    description: "counts as held by somebody else, in this decision alone",
    parse: patternOption("--also-held"),
    isList: true,
  },
  WORKTREE_OPTION,
];

/** What `--help` says of holders. */
export const HOLDER_HELP =
  "A holder is a worker, by its id, the first characters of it (w- and four more) or " +
  "worker:NAME, or else an outside party, by any other text, compared exactly. An outside party " +
  "is given a token, which renewing and releasing need. A worker that calls is its own holder.";

/** What was typed of a lease that is to be acquired. */
export interface TypedAcquire {
  readonly lane?: string;
  readonly any?: readonly string[];
  readonly region?: readonly string[];
  readonly exclude?: readonly string[];
  readonly holder?: string;
  readonly exclusive?: boolean;
  readonly shared?: boolean;
  readonly slot?: boolean;
  readonly ttl?: number;
  readonly wait?: number;
  readonly key?: string;
  readonly runId?: string;
  readonly alsoHeld?: readonly string[];
  readonly worktree?: string;
}

/** Reads what is asked for, all but for whom. Throws an InputError. */
export async function readAcquire(
  call: Call,
  typed: TypedAcquire,
): Promise<Omit<CommandMap["lease.acquire"], "holder">> {
  const mode = askedMode({ ...typed });
  const { ttl: ttl_ms = LIMITS.leaseTtlMsDefault, key, runId: run_id, alsoHeld, wait } = typed;
  const ground = askedGround(typed);
  if (mode === "slot" && "region" in ground)
    throw new InputError("usage", [
      { path: "--slot", expected: "absent where a region is asked for", got: "given" },
    ]);
  if ("region" in ground) await noteFolders(call, ground.region);
  const worktree = await meantWorktree(call, typed.worktree);
  return {
    ...ground,
    ...(mode === undefined ? {} : { mode }),
    ttl_ms,
    ...(key === undefined ? {} : { key }),
    ...(run_id === undefined ? {} : { run_id }),
    ...(alsoHeld === undefined ? {} : { also_held: [regionOf(alsoHeld, [], "--also-held")] }),
    ...(worktree === undefined ? {} : { worktree }),
    ...(wait === undefined ? {} : { wait_ms: wait }),
  };
}
