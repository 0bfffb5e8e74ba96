// How a service is started or stopped so that what is answered was seen:
//
//     looked at ──▶ told ──▶ watched ──▶ outcome, with its reason
//
// That a command exited with 0, or that a manager took an order, is never the outcome: a start has
// come to its end when the service is heard, or its manager says that it runs; a stop when it has
// said goodbye, its manager says that it does not run, or it has gone silent.

import type { Timers } from "../../runtime/timers.ts";
import type { ServiceKeeper, ServiceTold } from "../../ports/service.ts";

/** What was seen of a service when all was done. */
export type ServiceOutcome =
  "started" | "already_running" | "stopped" | "not_running" | "not_installed" | "failed";

/** What became of starting or stopping a service. */
export interface ServiceActed {
  readonly name: string;
  readonly action: "start" | "stop";
  readonly outcome: ServiceOutcome;
  /** Why, where the outcome alone does not say it. */
  readonly detail?: string;
  /** From the order until the outcome was seen, ms. */
  readonly took_ms: number;
}

/** An instance of a service as the roll has it. */
export interface HeardInstance {
  readonly instance: string;
  readonly status: "ok" | "stale" | "unknown" | "stopping" | "stopped";
  /** Beats heard of it. */
  readonly count: number;
}

/** What acting needs of the world. */
export interface ServiceWorld {
  readonly keeper: ServiceKeeper;
  /** The instances of a service in the roll now; undefined when there is no roll to look at. */
  heard(name: string): Promise<readonly HeardInstance[] | undefined>;
  readonly timers: Pick<Timers, "wait">;
  /** A clock that only goes forward, ms. */
  readonly nowMs: () => number;
  /** How long the outcome is waited for after the service was told, ms. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
}

/** How often it is looked for the outcome, ms. */
const LOOK_EVERY_MS = 250;

const LIVE: readonly string[] = ["ok", "stale", "stopping"];

/** Starts a service and answers what was seen of it. Never rejects but by the roll's own faults. */
export async function startService(name: string, so: ServiceWorld): Promise<ServiceActed> {
  const { keeper } = so;
  const begun = begin(name, "start", so);
  const [sight, before] = [await keeper.look(), await so.heard(name)];
  if (sight.kind === "not_installed") return begun("not_installed", sight.detail);
  const isHeard = before?.some(({ status }) => status === "ok") === true;
  if (sight.kind === "running")
    return begun("already_running", isHeard ? undefined : "it runs, and is not heard");
  // Whoever keeps it knows better than an old beat that it does not run.
  if (sight.kind === "unknown" && isHeard) return begun("already_running");
  const told = await keeper.start(so.signal);
  if (!told.ok) return begun(told.kind, told.detail);
  const counts = new Map(before?.map(({ instance, count }) => [instance, count]));
  const isNew = ({ instance, status, count }: HeardInstance): boolean =>
    status === "ok" && count !== counts.get(instance);
  let isRunning = false;
  let hasRoll = false;
  const isUp = await until(so, async () => {
    const now = await so.heard(name);
    hasRoll = now !== undefined;
    isRunning = (await keeper.look()).kind === "running";
    return now?.some(isNew) === true;
  });
  if (isUp) return begun("started");
  const unheard = hasRoll
    ? `no beat of it was heard within ${so.withinMs} ms`
    : "there is no roll to hear it on";
  if (isRunning) return begun("started", `it runs; ${unheard}`);
  return begun("failed", `it was told to start; ${unheard}`);
}

/** Stops a service and answers what was seen of it. Never rejects but by the roll's own faults. */
export async function stopService(name: string, so: ServiceWorld): Promise<ServiceActed> {
  const { keeper } = so;
  const begun = begin(name, "stop", so);
  const [sight, before] = [await keeper.look(), await so.heard(name)];
  if (sight.kind === "not_installed") return begun("not_installed", sight.detail);
  if (sight.kind === "not_running") return begun("not_running");
  const live = (before ?? []).filter(({ status }) => LIVE.includes(status));
  const isSeenEnded = live.length === 0 && before?.some(({ status }) => status === "stopped");
  if (sight.kind === "unknown" && isSeenEnded === true) return begun("not_running");
  const told: ServiceTold = await keeper.stop(so.signal);
  if (!told.ok) return begun(told.kind, told.detail);
  const ids = new Set(live.filter(({ status }) => status !== "stale").map((one) => one.instance));
  const isOver = await until(so, async () => {
    const now = await keeper.look();
    if (now.kind === "not_running") return true;
    if (now.kind !== "unknown" || ids.size === 0) return false;
    const left = (await so.heard(name))?.filter(({ instance }) => ids.has(instance));
    return left?.every(({ status }) => status === "stopped" || status === "stale") === true;
  });
  if (isOver) return begun("stopped");
  const what = live.length > 0 ? "it was silent" : "nothing was heard of it";
  const why =
    sight.kind === "unknown" && ids.size === 0
      ? `${what} before: its end cannot be seen`
      : `it was still there after ${so.withinMs} ms`;
  return begun("failed", `it was told to stop; ${why}`);
}

/** Begins to count the time, and makes the answer. */
function begin(
  name: string,
  action: ServiceActed["action"],
  { nowMs }: ServiceWorld,
): (outcome: ServiceOutcome, detail?: string) => ServiceActed {
  const sinceMs = nowMs();
  return (outcome, detail) => ({
    name,
    action,
    outcome,
    ...(detail === undefined ? {} : { detail }),
    took_ms: Math.round(nowMs() - sinceMs),
  });
}

/** Looks until something is so, the time is over or the signal fires; answers whether it was. */
async function until(so: ServiceWorld, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = so.nowMs() + so.withinMs;
  for (;;) {
    if (await isSo()) return true;
    if (so.signal?.aborted === true || so.nowMs() >= deadlineMs) return false;
    await so.timers.wait(LOOK_EVERY_MS);
  }
}
