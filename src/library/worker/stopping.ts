import type { Actor } from "../../kernel/actor.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { descendantsOf, type State } from "../../kernel/state.ts";
import { isProof, type Grade, type StopReason } from "../../kernel/worker/evidence.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOpen } from "../closed.ts";
import { errorText } from "../error-text.ts";
import { demandOptions } from "../given-options.ts";
import type { Member } from "../member.ts";
import { demand, type Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";
import { untilEnded } from "./history.ts";
import type { HostedKind } from "./hosted.ts";
import { STOP_GRACE_MS } from "../process/sandboxes.ts";
import { hasEnded } from "./until.ts";

/** Reasons that a worker may give for its own end; any other text is a detail. */
const OWN_REASONS: readonly string[] = ["completed", "failed", "requested"];

/** Ends a worker by its own word. Resolves as `WorkerHandle.shutdown` says. */
export async function stopWorker(
  { seat, hosting }: Member,
  who: { readonly id: string; readonly by: Actor; readonly kind: HostedKind },
  why: unknown,
): Promise<void> {
  const { id, by } = who;
  demandOpen(seat);
  const said = parseWhy(why);
  const hosted = hosting.get(id);
  if (!hasEnded((await seat.loop.look()).workers.get(id))) {
    const data = { worker: id, tree: false, ...said };
    await demand(seat, { kind: "worker.stop", data }, by);
  }
  // Waiting for its own task would be waiting for ever when it is that task which asks.
  if (who.kind === "here" && hosted?.isIdle === true) await hosting.finish(hosted);
}

function parseWhy(why: unknown): { readonly reason: StopReason; readonly detail?: string } {
  if (typeof why !== "string") {
    const expected = "a text";
    throw new InputError("usage", [{ path: "reason", expected, got: describeValue(why) }]);
  }
  if (OWN_REASONS.includes(why)) return { reason: why as StopReason };
  return why === "" ? { reason: "requested" } : { reason: "requested", detail: cut(why) };
}

/** A text cut to what an entry takes as a detail. */
function cut(text: string): string {
  return text.slice(0, Math.floor(LIMITS.noteBytesMax / 3)).toWellFormed();
}

/** How a stop is carried out. */
export interface StopOptions {
  /** Also the worker's live descendants; default true. */
  readonly tree?: boolean;
  /** A text for the record. */
  readonly reason?: string;
  /** How long tasks and processes are given to end by themselves, ms; default 2 000. */
  readonly graceMs?: number;
}

/** One worker of a stop: how its end is known, or that it is not. */
export interface StoppedWorker {
  readonly id: string;
  readonly name: string;
  /** Null while it has not ended. */
  readonly grade: Grade | null;
  readonly proven: boolean;
}

/** What became of a stop: workers that did not end in time stay `stopping`. */
export interface StopReport {
  readonly workers: readonly StoppedWorker[];
  readonly stoppedCount: number;
  readonly survivorCount: number;
  /** Whether every worker's end is proven: observed, settled or tethered. */
  readonly proven: boolean;
}

/** A stop order, checked. */
export interface StopOrder {
  readonly tree: boolean;
  readonly reason: StopReason;
  readonly detail?: string;
  readonly graceMs: number;
}

/** Checks the options of a stop. Throws an InputError. */
export function parseStop(options: StopOptions = {}): StopOrder {
  demandOptions(options);
  const { tree = true, reason, graceMs = STOP_GRACE_MS } = options;
  const { stopGraceMsMax } = LIMITS;
  if (!Number.isInteger(graceMs) || graceMs < 0 || graceMs > stopGraceMsMax) {
    const expected = `an integer from 0 to ${stopGraceMsMax}`;
    throw new InputError("usage", [{ path: "graceMs", expected, got: describeValue(graceMs) }]);
  }
  if (typeof tree !== "boolean")
    throw new InputError("usage", [
      { path: "tree", expected: "true or false", got: describeValue(tree) },
    ]);
  const detail = reason === undefined ? {} : { detail: parseWhy(reason).detail ?? reason };
  return { tree, reason: "requested", ...detail, graceMs };
}

/**
 * Stops a worker, and its descendants if asked, and waits until they have ended or the time is up.
 * Throws `Refused` when there is no such live worker.
 */
export async function stopTree(
  member: Member,
  id: string,
  so: { readonly order: StopOrder; readonly by: Actor },
): Promise<StopReport> {
  const { seat, sandboxes } = member;
  const { tree, reason, detail, graceMs } = so.order;
  const targets = targetsOf(await seat.loop.look(), id, tree);
  for (const target of targets.keys()) sandboxes?.setGrace(target, graceMs);
  const data = { worker: id, tree, reason, ...(detail === undefined ? {} : { detail }) };
  await demand(seat, { kind: "worker.stop", data }, so.by);
  // A child that was admitted while the stop was asked for is told to stop by it, too.
  for (const [target, name] of targetsOf(seat.loop.state(), id, tree)) targets.set(target, name);
  const workers = await Promise.all(
    [...targets].map(([target, name]) => endOne(member, { id: target, name }, so.order)),
  );
  return reportOf(workers);
}

function targetsOf(state: State, id: string, tree: boolean): Map<string, string> {
  const worker = state.workers.get(id);
  const all = [
    ...(worker === undefined ? [] : [worker]),
    ...(tree ? descendantsOf(state, id) : []),
  ];
  const live = all.filter((one) => !hasEnded(one));
  return new Map(live.map((one) => [one.id, one.name]));
}

/** How long the entry of an end that has come may take, ms. */
const journalMs = 1_000;

async function endOne(
  member: Member,
  who: { readonly id: string; readonly name: string },
  { graceMs, reason }: StopOrder,
): Promise<StoppedWorker> {
  const { seat, sandboxes } = member;
  const { id, name } = who;
  let withinMs = graceMs + journalMs;
  try {
    const listed = (await sandboxes?.list()) ?? [];
    if (sandboxes !== undefined && listed.some(({ instance }) => instance === id)) {
      await sandboxes.finish(id, { graceMs, by: reason });
      withinMs = journalMs;
    }
  } catch (error) {
    // One that cannot be swept must not hold up the others; it stays `stopping` and is told below.
    seat.log.warn("a sandbox could not be ended", { worker: id, error: errorText(error) });
  }
  const ended = await settledWithin(untilEnded(seat, id), withinMs, seat.timers);
  const end = ended.kind === "done" ? ended.value?.end : undefined;
  return { id, name, grade: end?.grade ?? null, proven: end?.proven ?? false };
}

/** Counts up what became of workers that were to end. */
export function reportOf(workers: readonly StoppedWorker[]): StopReport {
  const stopped = workers.filter(({ grade, proven }) => grade !== null || proven);
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
