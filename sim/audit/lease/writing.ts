import type { Writing, WritingVerdict } from "../../../src/kernel/ground/writing.ts";
import type { Lease } from "../../../src/kernel/lease/lease.ts";
import type { State } from "../../../src/kernel/state.ts";
import { hasResource } from "../grounds.ts";
import { isSameHolder } from "./books.ts";
import type { Problem } from "../books.ts";

/** A question about a file: of a holder as a lease has it, and always about some file. */
export type Question = Writing & {
  readonly file: NonNullable<Writing["file"]>;
  readonly holder: Lease["holder"];
};

/**
 * What is wrong with the answer to whether somebody may write a file: he may just if a live lease
 * of his own, of the fence that he gives if any, has it, and nobody's whose part it is not; or if
 * it is nobody's at all. So of two one may at most, and an old fence never.
 */
export function writingProblems(
  state: State,
  asked: Question,
  verdict: WritingVerdict,
): readonly Problem[] {
  const { reason, allowed } = verdict;
  const expected = whyAllowed(state, asked);
  const said = allowed ? reason : null;
  const wrong: string[] = [];
  if (said !== expected) wrong.push(`it must be allowed as ${expected}, it is as ${said}`);
  const isOutside = state.status !== "killed" && !isWithinRights(state, asked);
  if ((reason === "fleet_killed") !== (state.status === "killed"))
    wrong.push(`the fleet is ${state.status}, it is ${reason}`);
  if ((reason === "outside_rights") !== isOutside)
    wrong.push(`it must${isOutside ? "" : " not"} be outside of his rights, it is ${reason}`);
  if (reason === "fence_stale" && !isOvertaken(state, asked))
    wrong.push(`fence ${asked.fence} is stale, but of no lease there`);
  const { path, worktree } = asked.file;
  return wrong.map((message) => ({ rule: "SM10", message: `${worktree}:${path}: ${message}` }));
}

function whyAllowed(state: State, asked: Question): "held_by_you" | "free" | null {
  if (state.status === "killed" || !isWithinRights(state, asked)) return null;
  const { atMs, fence, holder, isStrict } = asked;
  const live = [...state.book.leases.values()].filter((lease) => lease.expires_at_ms > atMs);
  const covering = live.filter((lease) => hasFile(state, lease.region, asked));
  const isHis = (lease: Lease): boolean =>
    isSameHolder(lease.holder, holder) &&
    lease.mode !== "shared" &&
    (fence === undefined || lease.fence === fence) &&
    covering.every((other) => mayStandBy(state, lease, other));
  if (covering.some(isHis)) return "held_by_you";
  if (fence !== undefined || covering.length > 0) return null;
  if (isStrict || state.book.rules.require) return null;
  const isAlone = live.some((lease) => lease.alone && !isSameHolder(lease.holder, holder));
  return isAlone || hasLost(state, asked) ? null : "free";
}

/** Another lease takes nothing from one that is its part, or a slot of the same lane. */
function mayStandBy({ book }: State, lease: Lease, other: Lease): boolean {
  if (other === lease) return true;
  if (lease.mode === "slot" && other.mode === "slot" && lease.lane === other.lane) return true;
  for (let at = lease.lender; at !== null; at = book.leases.get(at)?.lender ?? null)
    if (at === other.id) return true;
  return false;
}

/** Whether he had it by a lease that is over and still in the state. */
function hasLost(state: State, asked: Question): boolean {
  return [...state.book.leases.values()].some(
    (lease) =>
      lease.expires_at_ms <= asked.atMs &&
      isSameHolder(lease.holder, asked.holder) &&
      hasFile(state, lease.region, asked),
  );
}

function isOvertaken(state: State, asked: Question): boolean {
  return [...state.book.leases.values()].some(
    (lease) =>
      lease.expires_at_ms > asked.atMs &&
      lease.fence !== asked.fence &&
      hasFile(state, lease.region, asked),
  );
}

function isWithinRights({ workers, book }: State, { holder, file }: Question): boolean {
  if (!("worker" in holder)) return true;
  const worker = workers.get(holder.worker);
  if (worker === undefined || worker.status === "stopped") return false;
  return hasResource({ patterns: worker.regions, foldsCase: book.foldsCase }, file.path);
}

function hasFile({ book }: State, patterns: readonly string[], { file }: Question): boolean {
  const { foldsCase, rules } = book;
  const { path, worktree } = file;
  const placed = rules.worktrees === "own_ground" ? `worktree/${worktree}/${path}` : path;
  return hasResource({ patterns, foldsCase }, placed);
}
