import { leasesBelow } from "../../kernel/ground/below.ts";
import { MAIN_WORKTREE } from "../../kernel/ground/worktree.ts";
import { judgePath, type FilePath } from "../../kernel/ground/writing.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { newEffort, type Effort } from "../../kernel/region/effort.ts";
import { DEFAULT_NAMESPACE, NAMESPACE } from "../../kernel/region/pattern.ts";
import { readResource } from "../../kernel/region/resource.ts";
import type { State } from "../../kernel/state.ts";
import { Fault } from "../../ports/fault.ts";
import type { Ground, GroundSight, Standpoint } from "../../ports/ground/ground.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Seat } from "../seat.ts";
import type { Who } from "./holder.ts";
import type { CheckOrder, PathDocument } from "./path-verdict.ts";

/** How many paths are looked up in the file system between two turns of the event loop. */
const pathsPerTurn = 64;

/** How much work is done between two turns of the event loop: about 10 ms of it. */
const workPerTurn = 150_000;

/** What a path costs in any case. */
const COST_OF_PATH = 50;

/** How many leases below a path are told. */
const belowMax = 8;

/** How often a look that somebody overtook is repeated. */
const looksMax = 100;

/** What paths are judged with. */
export interface CheckSeat extends Pick<Seat, "timers"> {
  readonly loop: Pick<Seat["loop"], "look" | "state" | "head">;
  readonly store: {
    readonly journal: Pick<Seat["store"]["journal"], "append">;
    readonly address?: Seat["store"]["address"];
  };
  readonly lookAtGround: (standpoint: Standpoint) => GroundSight;
}

/** Who asks, or is asked about; an operator may say what the state folder does not. */
export type Asking =
  | { readonly holder: { readonly worker: string } }
  | { readonly holder: Who; readonly root: string | undefined };

/**
 * Judges whether somebody may write paths: each as the file system leads to it, by the leases of
 * the journal as it is now, at journal time. A read: nothing is written, and what is true at this
 * instant may be over at the next. All paths share one effort, so that nobody is kept waiting by
 * who asks: what it does not suffice for is `undecided`, which is no leave to write. Throws an
 * InputError where it cannot be said which files the fleet is about, and `Fault`s of the store.
 */
export async function checkPaths(
  seat: CheckSeat,
  order: CheckOrder,
  by: Asking,
): Promise<readonly PathDocument[]> {
  const { paths, fence, strict: isStrict = false } = order;
  const ground = groundOf(seat, order.cwd, by);
  const files: (FilePath | null)[] = [];
  for (const path of paths) {
    files.push(findMeant(ground, path));
    if (files.length % pathsPerTurn === 0) await seat.timers.turn();
  }
  const { state, atMs } = await lookNow(seat);
  const asked = { holder: by.holder, isStrict, atMs, ...(fence === undefined ? {} : { fence }) };
  const ask = sharedEffort(seat, paths.length);
  const documents: PathDocument[] = [];
  for (const [index, path] of paths.entries()) {
    const file = files[index] ?? null;
    const verdict = await ask((effort) => judgePath(state, { ...asked, file, effort }));
    documents.push({ path, ...verdict });
  }
  // Last, so that what is only told besides never costs a verdict.
  for (const [index, file] of files.entries()) {
    const document = documents[index];
    if (file === null || document === undefined) continue;
    const how = { atMs, countMax: belowMax };
    const below = await ask((effort) => leasesBelow(state, file, { ...how, effort }));
    if (below.length > 0) documents[index] = { ...document, below };
  }
  return documents;
}

/**
 * Asks one question after the other, each with what is left for all, and no more than one question
 * is worth; after every 10 ms or so of work the event loop has its turn.
 */
function sharedEffort(
  { timers }: Pick<CheckSeat, "timers">,
  count: number,
): <T>(question: (effort: Effort) => T) => Promise<T> {
  let workLeft = LIMITS.checkWorkMax + count * LIMITS.checkWorkPerPathMax;
  let turnAt = workLeft - workPerTurn;
  return async (question) => {
    const given = Math.min(workLeft, LIMITS.regionSearchWorkMax);
    const effort = newEffort(given);
    const answer = question(effort);
    workLeft -= COST_OF_PATH + given - effort.workLeft;
    if (workLeft <= turnAt) {
      turnAt = workLeft - workPerTurn;
      await timers.turn();
    }
    return answer;
  };
}

/**
 * What a path means, as patterns do: a file, also after `file:`, or after the name of another
 * namespace a resource as it is written. A file that is called so is meant by `./port:8080`.
 */
export function findMeant(ground: Ground, path: string): FilePath | null {
  const named = NAMESPACE.exec(path);
  if (named === null) return ground.find(path);
  const [lead, namespace] = named;
  if (namespace === DEFAULT_NAMESPACE) return ground.find(path.slice(lead.length));
  const resource = readResource(path);
  if (resource === undefined) return null;
  return {
    path: resource.segments.join("/"),
    worktree: MAIN_WORKTREE,
    namespace: resource.namespace,
  };
}

/**
 * The ground that a fleet is about, as it is seen from a folder. Throws an InputError where nobody
 * says which it is.
 */
export function groundOf(
  { store, lookAtGround }: Pick<CheckSeat, "store" | "lookAtGround">,
  cwd: string,
  by: Asking | { readonly root?: string | undefined },
): Ground {
  const root = "root" in by ? by.root : undefined;
  const stateDir = store.address?.dir;
  const sight = lookAtGround({
    cwd,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(root === undefined ? {} : { root }),
  });
  if (sight.ok) return sight.ground;
  const { expected, got } = sight;
  const path = "root" in by ? "options.root" : "what the fleet says of its files";
  throw new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}

/**
 * The state and the journal time that it is true at, read by an append that writes nothing. Throws
 * the `Fault`s of appending.
 */
export async function lookNow({
  loop,
  store,
}: Pick<CheckSeat, "loop" | "store">): Promise<{ readonly state: State; readonly atMs: number }> {
  for (let look = 0; look < looksMax; look += 1) {
    await loop.look();
    const state = loop.state();
    const outcome = await store.journal.append(loop.head(), () => []);
    if (outcome.kind === "appended") return { state, atMs: outcome.atMs };
  }
  const message = `a look must not be overtaken ${looksMax} times in a row, it was`;
  throw new Fault("storage_busy", message, { retryable: true });
}
