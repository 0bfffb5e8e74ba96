import type { Actor } from "../../kernel/actor.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import { demand, type Seat } from "../seat.ts";
import { holdingUntil } from "../waiting.ts";
import type { Hosted } from "./hosted.ts";

/** What a task is given: the worker that it runs for, and when to stop. */
export interface TaskContext<W> {
  readonly worker: W;
  /** Fires on stop, kill, quarantine and expiry; its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
}

/** Work that a worker does in this process. What it answers is the caller's. */
export type Task<W, T> = (context: TaskContext<W>) => T | Promise<T>;

/**
 * Runs a task for a worker and answers what it answers. Several may run at once.
 *
 * Throws `Refused` when the worker may not work: `worker_ended`, `worker_not_running`,
 * `worker_expired`, `worker_quarantined`; such a refusal is journaled. When the task throws, the
 * worker is stopped with the error's text on record, and the error is thrown on as it is. Two
 * things harm nobody: a call to Stint that was malformed (InputError), and being interrupted by a
 * quarantine, in which the worker has to be kept.
 */
export async function performTask<W, T>(
  { seat, hosting }: Member,
  so: { readonly worker: W; readonly id: string; readonly by: Actor },
  task: Task<W, T>,
): Promise<T> {
  checkTask(task);
  await demandRunning(seat, hosting.get(so.id), so);
  const hosted = hosting.get(so.id);
  if (hosted === undefined) return neverHosted(seat, so);
  return runTask(hosted, { task, worker: so.worker, onFailed: () => hosting.stopFailed(hosted) });
}

/** Checks that a task can be called. Throws an InputError. */
export function checkTask(task: unknown): void {
  if (typeof task === "function") return;
  const problem = { path: "task", expected: "a function", got: describeValue(task) };
  throw new InputError("usage", [problem]);
}

/** Runs a task of a worker that may work; one that fails is told to `onFailed`, once it is over. */
export async function runTask<W, T>(
  hosted: Hosted,
  so: {
    readonly task: Task<W, T>;
    readonly worker: W;
    readonly onFailed: () => Promise<void>;
  },
): Promise<T> {
  const { signal } = hosted;
  try {
    const running = hosted.run(() => so.task({ worker: so.worker, signal }));
    return await holdingUntil(running, signal);
  } catch (error) {
    if (isHarmless(error) || hosted.interruptedBy === "quarantine") throw error;
    hosted.error ??= errorText(error);
    await so.onFailed();
    throw error;
  }
}

function isHarmless(error: unknown): boolean {
  try {
    return error instanceof InputError;
  } catch {
    // A hostile error: even asking what it is threw.
    return false;
  }
}

/**
 * Asks whether a worker may work. Where the state or the clock say no, the rules are asked, by the
 * command that only a worker at work may give: so the refusal is theirs, and on record.
 */
async function demandRunning(
  seat: Seat,
  hosted: Hosted | undefined,
  so: { readonly id: string; readonly by: Actor },
): Promise<void> {
  const worker = (await seat.loop.look()).workers.get(so.id);
  const isOver = hosted === undefined || seat.clock.monotonicMs() >= hosted.deadlineMs;
  if (worker?.status === "running" && worker.quarantine === null && !isOver) return;
  const data = { worker: so.id, state: worker?.state ?? {} };
  await demand(seat, { kind: "worker.checkpoint", data }, so.by);
}

/** It runs by the journal, but not here: somebody else's, or given up when the handle closed. */
function neverHosted(seat: Seat, so: { readonly id: string }): never {
  const expected = `a worker whose code runs in this process (${seat.host.process.pid})`;
  throw new InputError("usage", [{ path: "worker", expected, got: so.id }]);
}
