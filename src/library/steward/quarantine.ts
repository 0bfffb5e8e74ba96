import type { Actor } from "../../kernel/actor.ts";
import { descendantsOf } from "../../kernel/state.ts";
import type { CommandMap } from "../../kernel/command.ts";
import type { Severity } from "../../kernel/worker/evidence.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { parseCommandData } from "../../protocol/command.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import { toCamel } from "../names.ts";
import { demandOnce } from "../seat.ts";
import { reportOf, stopTree, type StopReport } from "../worker/stopping.ts";

/** Why a worker is put in quarantine. */
export interface QuarantineOptions {
  readonly reason: string;
  /** Who or what noticed; default `manual`. */
  readonly source?: string;
  /** Default `medium`. */
  readonly severity?: Severity;
  /** Captured facts, JSON of at most 16 KiB. */
  readonly evidence?: JsonObject;
  /** Also the worker's live descendants; default false. */
  readonly tree?: boolean;
}

/** What the caller calls the body of the command. */
const OPTIONS = { path: "options", rename: toCamel };

type Order = Omit<CommandMap["worker.quarantine"], "worker">;

/** Checks the options of a quarantine. Throws an InputError. */
export function parseQuarantine(
  id: string,
  options: QuarantineOptions,
): { readonly order: Order; readonly tree: boolean } {
  const { source = "manual", severity = "medium", tree = false, ...given } = options;
  if (typeof tree !== "boolean")
    throw new InputError("usage", [
      { path: "tree", expected: "true or false", got: describeValue(tree) },
    ]);
  const data = { worker: id, source, severity, ...given };
  const { worker: _, ...order } = parseCommandData("worker.quarantine", data, OPTIONS);
  return { order, tree };
}

/**
 * Puts a worker in quarantine: frozen at once where it can be, interrupted where it runs as tasks,
 * and refused further tasks and children. Throws `Refused` when it is not a running worker.
 */
export async function quarantine(
  member: Member,
  id: string,
  so: {
    readonly order: Order;
    readonly tree: boolean;
    readonly by: Actor;
    /** By this id it is decided once, however often it is asked for. */
    readonly commandId?: string | undefined;
  },
): Promise<void> {
  const { seat } = member;
  const below = so.tree ? descendantsOf(await seat.loop.look(), id) : [];
  await quarantineOne(member, id, { ...so, id: so.commandId });
  const idOf = (worker: string): string | undefined =>
    so.commandId === undefined ? undefined : `${so.commandId}-${worker}`;
  const others = below.filter(
    ({ status, quarantine: held }) => status === "running" && held === null,
  );
  const outcomes = await Promise.allSettled(
    others.map((worker) => quarantineOne(member, worker.id, { ...so, id: idOf(worker.id) })),
  );
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    // It ended, or somebody else was quicker, between the look and the asking.
    const facts = { worker: others[index]?.id, error: errorText(outcome.reason) };
    seat.log.warn("a descendant was not put in quarantine", facts);
  }
}

async function quarantineOne(
  { seat, sandboxes }: Member,
  id: string,
  so: { readonly order: Order; readonly by: Actor; readonly id: string | undefined },
): Promise<void> {
  const data = { worker: id, ...so.order };
  const journal = async (): Promise<void> => {
    await demandOnce(seat, { kind: "worker.quarantine", data }, so);
  };
  // What was decided before is not done again: somebody may have lifted it since.
  const isRepeated = so.id !== undefined && (await seat.store.journal.recall(so.id)) !== undefined;
  await (sandboxes === undefined || isRepeated
    ? journal()
    : sandboxes.freezer.holdWhile(id, journal));
}

/**
 * Lifts a quarantine; the worker runs again only once that is durable. Throws `Refused`
 * `worker_not_quarantined`, and `worker_expired` for one past its lifetime.
 */
export async function unquarantine(
  { seat, sandboxes }: Member,
  id: string,
  so: {
    readonly resolution: string;
    readonly by: Actor;
    /** By this id it is decided once, however often it is asked for. */
    readonly commandId?: string | undefined;
  },
): Promise<void> {
  const given = { worker: id, resolution: so.resolution };
  const data = parseCommandData("worker.unquarantine", given, OPTIONS);
  await demandOnce(seat, { kind: "worker.unquarantine", data }, { by: so.by, id: so.commandId });
  const listed = (await sandboxes?.list()) ?? [];
  if (listed.some(({ instance }) => instance === id)) await sandboxes?.freezer.align(id);
}

/**
 * Stops a worker that is in quarantine, or all of them, for good. One that cannot be ended stays
 * `stopping` and in the report, may be stopped again, and holds up no other.
 */
export async function stopQuarantined(
  member: Member,
  id: string | undefined,
  so: { readonly detail: string | undefined; readonly by: Actor },
): Promise<StopReport> {
  const { workers } = await member.seat.loop.look();
  const worker = id === undefined ? undefined : workers.get(id);
  if (worker?.status === "running" && worker.quarantine === null) {
    const expected = "a worker in quarantine";
    throw new InputError("usage", [{ path: "worker", expected, got: `${id}, which is not` }]);
  }
  const held = [...workers.values()].filter(({ quarantine: kept }) => kept !== null);
  const targets = id === undefined ? held.map((one) => one.id) : [id];
  const detail = so.detail === undefined ? {} : { detail: so.detail };
  const order = { tree: false, reason: "quarantine_stopped", ...detail, graceMs: 0 } as const;
  const stops = targets.map((target) => stopTree(member, target, { order, by: so.by }));
  // One that ended meanwhile is no failure of the others; a single one is its caller's to hear of.
  const outcomes = id === undefined ? await Promise.allSettled(stops) : await settleAll(stops);
  const reports = outcomes.flatMap((one) => (one.status === "fulfilled" ? one.value.workers : []));
  return reportOf(reports);
}

async function settleAll<T>(promises: readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  const values = await Promise.all(promises);
  return values.map((value) => ({ status: "fulfilled", value }));
}
