// What is asked for a lease, from the names of the library to those of the journal. Only what the
// journal has no words for is checked here; all else is for the parser of commands, in this process
// or in the supervisor, so that a supervised worker needs no parsers of its own.

import type { CommandMap } from "../../kernel/command.ts";
import type { LeaseMode } from "../../kernel/lease/lease.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import type { Called } from "./line.ts";

/** What a worker asks for a lease: exactly one of `lane`, `any` and `region`. */
export interface OwnAcquireOptions {
  /** A lane, by its name or an alias. */
  readonly lane?: string;
  /** Lanes: the first that can be had, in this order. */
  readonly any?: readonly string[];
  /** Patterns of the ground, one or several. */
  readonly region?: string | readonly string[];
  /** Patterns of what is left out of the region. */
  readonly exclude?: readonly string[];
  /** Default: `slot` on a lane with slots, else `exclusive`. */
  readonly mode?: LeaseMode;
  /** How long it lasts unless it is renewed, ms; 1 s to 24 h, default 5 min. */
  readonly ttlMs?: number;
  /** Makes asking again safe: while the lease that it made lives, that lease is the answer. */
  readonly key?: string;
  /** For the record: the run that this is part of. */
  readonly runId?: string;
  /** Regions that count as held by somebody else in this one decision. */
  readonly alsoHeld?: readonly (readonly string[])[];
  /**
   * The worktree that it is asked for in; default the one that the current folder lies in. It
   * matters under `own_ground` alone, and must be given there where that folder lies in none.
   */
  readonly worktree?: string;
  /**
   * How long to wait for what others have, ms; 1 ms to 24 h. Whoever came first is served first,
   * and a circle of waiters is refused `wait_deadlock`. Default: it is not waited.
   */
  readonly waitMs?: number;
  /** Gives the waiting up: its reason is thrown then. */
  readonly signal?: AbortSignal;
  /** Told of each place in the queue that is waited in, by its id. */
  readonly onWaiting?: (place: string) => void;
}

/** What an operator asks for a lease, and for whom. */
export interface AcquireOptions extends OwnAcquireOptions {
  /**
   * Who is to hold it: a worker by its id, the first characters of it (`w-` and four more), or
   * `worker:` and its name; any other text is the name of an outside party, such as a person.
   */
  readonly holder: string;
}

/** A request for a lease in the journal's names, but for who is to hold it. */
export interface AcquireRequest {
  readonly data: Omit<CommandMap["lease.acquire"], "holder">;
  readonly called: Called;
  readonly signal?: AbortSignal | undefined;
  readonly onPlace?: ((place: string) => void) | undefined;
}

const OWN_FIELDS: readonly string[] = [
  "lane",
  "any",
  "region",
  "exclude",
  "mode",
  "ttlMs",
  "key",
  "runId",
  "alsoHeld",
  "worktree",
  "waitMs",
  "signal",
  "onWaiting",
];

/** Reads what a worker asks for. Throws an InputError. */
export function readOwnAcquire(options: unknown): AcquireRequest {
  demandOptions(options, OWN_FIELDS, WITH_GROUND);
  return requestOf(options as OwnAcquireOptions);
}

/** Reads what an operator asks for, and the text that says for whom. Throws an InputError. */
export function readAcquire(options: unknown): AcquireRequest & { readonly holder: string } {
  demandOptions(options, [...OWN_FIELDS, "holder"], WITH_GROUND);
  const { holder, ...asked } = options as AcquireOptions;
  return { ...requestOf(asked), holder: demandText(holder, "options.holder") };
}

const WITH_GROUND = "an object with a lane, lanes or a region";

function requestOf(options: OwnAcquireOptions): AcquireRequest {
  const { lane, any, region, exclude, mode, ttlMs, key, runId, alsoHeld, worktree } = options;
  const { waitMs, signal, onWaiting } = options;
  if (onWaiting !== undefined && typeof onWaiting !== "function")
    throw wrong("options.onWaiting", "a function", describeValue(onWaiting));
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrong("options.signal", "an AbortSignal", describeValue(signal));
  const given = Object.entries({ lane, any, region }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(" and ");
    throw wrong("options", "one with exactly one of lane, any, region", names || "none of them");
  }
  if (lane !== undefined && typeof lane !== "string")
    throw wrong("options.lane", "the name of a lane", describeValue(lane));
  if (region === undefined && exclude !== undefined)
    throw wrong("options.exclude", "absent where lanes are asked for", describeValue(exclude));
  return {
    data: absentLeftOut({
      lanes: lane === undefined ? any : [lane],
      region: region === undefined ? undefined : patternsOf({ region, exclude }),
      mode,
      ttl_ms: ttlMs ?? LIMITS.leaseTtlMsDefault,
      key,
      run_id: runId,
      also_held: alsoHeld,
      worktree,
      wait_ms: waitMs,
    }),
    signal,
    onPlace: onWaiting,
    called: {
      ...(lane === undefined
        ? { "options.lanes": "options.any" }
        : { "options.lanes[0]": "options.lane" }),
      "options.holder.name": "options.holder",
      "options.holder.worker": "options.holder",
    },
  };
}

/** The patterns of a region, what is left out led by `!`. Throws an InputError. */
export function patternsOf(
  given: { readonly region: unknown; readonly exclude?: unknown },
  path = "options",
): readonly string[] {
  const { region, exclude = [] } = given;
  const patterns: readonly unknown[] = Array.isArray(region) ? region : [region];
  if (!Array.isArray(exclude))
    throw wrong(`${path}.exclude`, "an array of patterns", describeValue(exclude));
  const left = exclude.map((pattern: unknown, index) => {
    const isPattern = typeof pattern === "string" && pattern !== "" && !pattern.startsWith("!");
    if (isPattern) return `!${pattern}`;
    const expected = 'a pattern, without a leading "!"';
    throw wrong(`${path}.exclude[${index}]`, expected, describeValue(pattern));
  });
  // Whether they are texts of a pattern is for the parser of the command to say.
  return [...patterns, ...left] as readonly string[];
}

/** Checks that something is a text that is not empty. Throws an InputError. */
export function demandText(value: unknown, path: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(path, "a text that is not empty", describeValue(value));
}

/** A document without what is absent: in the journal's form nothing is `undefined`. */
export function absentLeftOut<T extends object>(document: {
  readonly [K in keyof T]: T[K] | undefined;
}): T {
  const given = Object.entries(document).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as T;
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}

/** What follows the name of a field in a path: nothing, a field of it, or an item. */
const ENDS_NAME = /^($|[.[])/;

/** Names what is wrong with a command in the words of whoever asked for it. */
export function asCalled(error: unknown, called: Called): unknown {
  if (!(error instanceof InputError)) return error;
  const names = Object.keys(called).toSorted((one, other) => other.length - one.length);
  const problems = error.problems.map((problem) => {
    const { path } = problem;
    const name = names.find(
      (one) => path.startsWith(one) && ENDS_NAME.test(path.slice(one.length)),
    );
    return name === undefined
      ? problem
      : { ...problem, path: `${called[name] ?? ""}${path.slice(name.length)}` };
  });
  return new InputError(error.code, problems);
}

/** A text that means a worker: an id, or the first characters of one. */
export const WORKER_ID = /^w-[a-z2-7]{4,}$/;

/** How an id of a worker looks that lacks nothing. */
export const WHOLE_WORKER_ID = /^w-[a-z2-7]{16}$/;

/** What stands before a worker's id or name where a text must mean a worker. */
const WORKER = "worker:";

/**
 * What a text names a worker by, where it means one: it looks like the id of one, or begins with
 * `worker:`. Undefined for any other text, which is the name of an outside party.
 */
export function meansWorker(text: string): string | undefined {
  if (text.startsWith(WORKER)) return text.slice(WORKER.length);
  return WORKER_ID.test(text) ? text : undefined;
}

/** The error of a worker that would hand a token out, which it does not have. */
export function onlyWorkers(text: string, path: string): InputError {
  const expected = "a worker (only an operator gives leases to outside parties)";
  return new InputError("usage", [{ path, expected, got: describeValue(text) }]);
}
