import type { Actor } from "../../kernel/actor.ts";
import type { State, Worker } from "../../kernel/state.ts";
import { isProof, type Grade } from "../../kernel/worker/evidence.ts";
import { demandOpen } from "../closed.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import { isArchiveBroken } from "../readable.ts";
import type { Answer } from "../../runtime/loop.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import { isSupervised } from "../relay/supervised.ts";
import { demand, type Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";
import { foreseeStop, type Doomed } from "./blast-radius.ts";
import { untilEnded } from "./history.ts";
import type { HostedKind } from "./hosted.ts";
import { parseEndReason, type StopOrder } from "./stop-order.ts";
import { hasEnded } from "./until.ts";

/** Ends a worker by its own word. Resolves as `WorkerHandle.shutdown` says. */
export async function stopWorker(
  { seat, hosting }: Member,
  who: { readonly id: string; readonly by: Actor; readonly kind: HostedKind },
  why: unknown,
): Promise<void> {
  const { id, by } = who;
  demandOpen(seat);
  const said = parseEndReason(why);
  const hosted = hosting.get(id);
  if (!hasEnded((await seat.loop.look()).workers.get(id))) {
    const data = { worker: id, tree: false, ...said };
    await demand(seat, { kind: "worker.stop", data }, by);
  }
  // Waiting for its own task would be waiting for ever when it is that task which asks.
  if (who.kind === "here" && hosted?.isIdle === true) await hosting.finish(hosted);
}

/** One worker of a stop: how its end is known, or that it is not. */
export interface StoppedWorker {
  readonly id: string;
  readonly name: string;
  /** Null while it has not ended. */
  readonly grade: Grade | null;
  readonly proven: boolean;
}

/** Whether a worker's end is known, or there was nothing to end. */
export function hasStopped({ grade, proven }: Pick<StoppedWorker, "grade" | "proven">): boolean {
  return grade !== null || proven;
}

/** What became of a stop: workers that did not end in time stay `stopping`. */
export interface StopReport {
  readonly workers: readonly StoppedWorker[];
  readonly stoppedCount: number;
  readonly survivorCount: number;
  /** Whether every worker's end is proven: observed, settled or tethered. */
  readonly proven: boolean;
}

/** What became of a stop order, before anybody has signed for it. */
export interface Stopped {
  /** The place at which the whole order is durable. */
  readonly seq: number;
  readonly workers: readonly StoppedWorker[];
}

/** How workers are asked to stop. */
export interface StopsAsked {
  readonly order: StopOrder;
  readonly by: Actor;
  /** The command ids of those whose stop is decided once, however often it is asked for. */
  readonly commandIds?: ReadonlyMap<string, string>;
}

/**
 * Stops workers, and their descendants if asked, and waits until they, and those who are orphaned
 * by it and have to end for that, have ended or the time is up.
 *
 * Throws `Refused` when one of them is no live worker, and then nobody was stopped: except one of
 * several that ended while the stop was on its way.
 */
export async function stopAll(
  member: Member,
  ids: readonly string[],
  so: StopsAsked,
): Promise<Stopped> {
  const { seat } = member;
  const { order, by } = so;
  const state = await seat.loop.look();
  const fated = new Map<string, Doomed>();
  const seen = new Map<string, State>();
  const foresee = (now: State): void => {
    for (const one of foreseeStop(now, ids, { tree: order.tree, by })) {
      fated.set(one.id, one);
      if (!seen.has(one.id)) seen.set(one.id, now);
    }
  };
  foresee(state);
  for (const { id } of fated.values()) member.sandboxes?.setGrace(id, order.graceMs);
  const seq = await tell(seat, ids, { ...so, state });
  const supervised = await isSupervised(member, supervisorMs);
  // A child that was admitted while the stop was asked for is told to stop by it, too.
  foresee(seat.loop.state());
  const told = [...fated.values()].filter(({ because }) => because !== "orphaned");
  // Whoever had been told before, with more time than this order gives, is not waited for so long.
  const wait = ({ id }: Doomed): boolean => {
    const { grace_ms: givenMs = 0 } = seat.loop.state().workers.get(id)?.stopping ?? {};
    return supervised && givenMs <= order.graceMs;
  };
  const ended = await endAll(member, told, { order, wait, seen });
  // Orphans are told by the entry that ends their parent, and not if it does not end.
  const now = await seat.loop.look();
  const orphans = [...fated.values()].filter(({ id, because }) => {
    const worker = now.workers.get(id);
    return because === "orphaned" && (hasEnded(worker) || isStopping(worker));
  });
  return { seq, workers: [...ended, ...(await endAll(member, orphans, { order, wait, seen }))] };
}

function isStopping(worker: Worker | undefined): boolean {
  return worker !== undefined && worker.stopping !== null;
}

/** How long a supervisor may take to say that it is there, ms. */
const supervisorMs = 1_000;

/** How long it may take beyond the grace until an end that it sees to is journaled, ms. */
const handoverMs = 3_000;

/** Stops one worker as {@link stopAll} does, and counts up what became of it. */
export async function stopTree(
  member: Member,
  id: string,
  so: { readonly order: StopOrder; readonly by: Actor },
): Promise<StopReport> {
  return reportOf((await stopAll(member, [id], so)).workers);
}

/** Gives the commands; answers the place at which all of them are durable. */
async function tell(
  seat: Seat,
  ids: readonly string[],
  so: StopsAsked & { readonly state: State },
): Promise<number> {
  const { tree, reason, detail, graceMs } = so.order;
  const give = async (worker: string): Promise<Answer> => {
    const words = detail === undefined ? {} : { detail };
    const data = { worker, tree, reason, grace_ms: graceMs, ...words };
    const id = so.commandIds?.get(worker);
    return seat.loop.submit({ kind: "worker.stop", data }, so.by, id === undefined ? {} : { id });
  };
  const mustBeGranted = (answer: Answer): number => {
    if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
    return answer.seq;
  };
  // Those of whom it is not certain that they live are asked first: a wrong id stops nobody.
  const [certain, doubtful] = partition(ids, (id) => !hasEnded(so.state.workers.get(id)));
  const seqs: number[] = [];
  for (const id of doubtful) seqs.push(mustBeGranted(await give(id)));
  const answers = await Promise.all(certain.map(give));
  for (const answer of answers) {
    const isLate = !answer.ok && answer.refusal.code === "worker_ended" && ids.length > 1;
    seqs.push(isLate ? answer.seq : mustBeGranted(answer));
  }
  return Math.max(...seqs);
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  const { first = [], second = [] } = Object.groupBy(items, (item) =>
    isFirst(item) ? "first" : "second",
  );
  return [first, second];
}

/** How long the entry of an end that has come may take, ms. */
const journalMs = 1_000;

interface Ending {
  readonly order: StopOrder;
  /** Whether one is left to the supervisor at first. */
  readonly wait: (one: Doomed) => boolean;
  /** Each as it was before it was told to end. */
  readonly seen: ReadonlyMap<string, State>;
}

async function endAll(
  member: Member,
  workers: readonly Doomed[],
  so: Ending,
): Promise<readonly StoppedWorker[]> {
  const { order, wait, seen } = so;
  const listed = await listSandboxes(member);
  return Promise.all(
    workers.map((one) => endOne(member, one, { ...order, seen, listed, isHandedOver: wait(one) })),
  );
}

/** The workers whose sandboxes are on this host; none where that cannot be told. */
async function listSandboxes({ seat, sandboxes }: Member): Promise<ReadonlySet<string>> {
  try {
    const listed = (await sandboxes?.list()) ?? [];
    return new Set(listed.map(({ instance }) => instance));
  } catch (error) {
    // Those who run them may end them all the same; who does not end is told below.
    seat.log.warn("the sandboxes could not be listed", { error: errorText(error) });
    return new Set();
  }
}

async function endOne(
  { seat, sandboxes }: Member,
  { id, name }: Doomed,
  so: StopOrder &
    Pick<Ending, "seen"> & {
      readonly listed: ReadonlySet<string>;
      readonly isHandedOver: boolean;
    },
): Promise<StoppedWorker> {
  let { graceMs } = so;
  // Once, while it lives: how it ends is told by what was seen of it, if by nothing else.
  const end = untilEnded(seat, id, so.seen.get(id));
  end.catch(() => undefined);
  // Two who ask one process to end ask it twice, and who runs it sees more of how it ended.
  if (so.isHandedOver && sandboxes?.isOwn(id) !== true) {
    await settledWithin(end, graceMs + handoverMs, seat.timers);
    graceMs = 0;
  }
  const isLeft = so.listed.has(id) && !hasEnded(seat.loop.state().workers.get(id));
  try {
    if (isLeft) await sandboxes?.finish(id, { graceMs, by: so.reason });
  } catch (error) {
    // One that cannot be swept must not hold up the others; it stays `stopping` and is told below.
    seat.log.warn("a sandbox could not be ended", { worker: id, error: errorText(error) });
  }
  const withinMs = isLeft ? journalMs : graceMs + journalMs;
  const ended = await settledWithin(end, withinMs, seat.timers);
  // It has ended, and how is on record: to call it a survivor would be false.
  if (ended.kind === "failed" && isArchiveBroken(ended.error)) throw ended.error;
  const { grade = null, proven = false } = (ended.kind === "done" && ended.value?.end) || {};
  return { id, name, grade, proven };
}

/** Counts up what became of workers that were to end. */
export function reportOf(workers: readonly StoppedWorker[]): StopReport {
  const stopped = workers.filter(hasStopped);
  return Object.freeze({
    workers: Object.freeze(workers.map((worker) => Object.freeze(worker))),
    stoppedCount: stopped.length,
    survivorCount: workers.length - stopped.length,
    proven: workers.every(({ grade, proven }) => proven && (grade === null || isProof(grade))),
  });
}

/** The workers of a fleet that live, by id. */
export function listLive(seat: Seat): ReadonlyMap<string, string> {
  const live = [...seat.loop.state().workers.values()].filter((worker) => !hasEnded(worker));
  return new Map(live.map(({ id, name }) => [id, name]));
}
