import type { Hono } from "hono";
import type { Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { errorText } from "../../library/error-text.ts";
import { checkPaths } from "../../library/lease/checking.ts";
import { findLease, listLiveOf } from "../../library/lease/history.ts";
import type { LeaseOrder } from "../../library/lease/line.ts";
import { sightAfter } from "../../library/lease/sighting.ts";
import { wireLease } from "../../library/lease/view.ts";
import { readOrder } from "../../library/lease/path-verdict.ts";
import type { Seat } from "../../library/seat.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import type { Answer } from "../../runtime/loop.ts";
import { answerData } from "./answer.ts";
import { readBody } from "./guard.ts";

/** What a worker's socket says of leases. */
export interface WorkerLeasesOptions {
  readonly seat: Seat;
  readonly worker: string;
  /** Whether an id is this worker's own, or of a worker below it. */
  readonly isBelow: (id: string) => Promise<boolean>;
  /** The answer to whoever asks about what is not its own. */
  readonly refuse: (id: string) => Response;
}

/** Adds what a worker may ask about leases to the app of its socket. */
export function addLeaseRoutes(app: Hono, options: WorkerLeasesOptions): void {
  const { seat, worker, isBelow, refuse } = options;
  const answerLeases = async (id: string): Promise<Response> => {
    if (!(await isBelow(id))) return refuse(id);
    await seat.loop.look();
    return answerData({ leases: listLiveOf(seat, id).map(wireLease) });
  };
  app.get("/v1/leases", () => answerLeases(worker));
  app.get("/v1/workers/:id/leases", ({ req }) => answerLeases(req.param("id")));
  app.get("/v1/leases/:id", async ({ req }) => {
    const id = req.param("id");
    const lease = await findLease(seat, id);
    const isOwn = lease?.holderKind === "worker" && (await isBelow(lease.holder));
    return isOwn ? answerData({ lease: wireLease(lease) }) : refuse(id);
  });
  app.post("/v1/workers/:id/paths", async ({ req }) => {
    const id = req.param("id");
    if (!(await isBelow(id))) return refuse(id);
    const order = readOrder(fieldsOf(await readBody(req)));
    return answerData({ paths: await checkPaths(seat, order, { holder: { worker: id } }) });
  });
}

/**
 * What the answer to a worker's command says besides its entries: the lease that it has left. A
 * renewal is a sign of life; it is counted, but unlike a beat of the worker's own it is no promise
 * of further ones, so a plain command is still beaten for.
 */
export async function leaseAfter(
  seat: Seat,
  { command, worker }: { readonly command: Command; readonly worker: string },
  answer: Answer & { readonly ok: true },
): Promise<object> {
  if (command.kind === "lease.renew") await countBeat(seat, worker);
  return leaseLeft(seat, command, answer.entries);
}

/** What an answer says of the lease that a command has left; nothing where it left none. */
export async function leaseLeft(
  seat: Seat,
  command: Command,
  entries: readonly Entry[],
): Promise<object> {
  const sighting = isAboutLease(command)
    ? // Of that very kind.
      await sightAfter(seat, command as LeaseOrder, entries)
    : undefined;
  if (sighting === undefined) return {};
  const { lease, remainingMs: remaining_ms } = sighting;
  return { sighting: { lease: wireLease(lease), remaining_ms } };
}

function isAboutLease({ kind }: Command): boolean {
  return kind.startsWith("lease.") || kind === "place.keep";
}

async function countBeat({ store, log }: Seat, worker: string): Promise<void> {
  try {
    await store.pulse.beat(worker);
  } catch (error) {
    // A beat may be lost; the next one says the same.
    log.warn("a beat was lost", { worker, error: errorText(error) });
  }
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(body)) return body;
  const got = describeValue(body);
  throw new InputError("usage", [{ path: "the body of a request", expected: "an object", got }]);
}
