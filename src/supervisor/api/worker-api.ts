import type { Hono } from "hono";
import type { Actor } from "../../kernel/actor.ts";
import { refuse } from "../../kernel/refusal.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { placed } from "../../library/ground/placing.ts";
import { answerWithoutPermit } from "../../library/kill/adoption.ts";
import { toWire } from "../../library/names.ts";
import type { Seat } from "../../library/seat.ts";
import { findWorker, listLineage, manifestIn, untilEnded } from "../../library/worker/history.ts";
import { hasEnded } from "../../library/worker/until.ts";
import type { WorkerView } from "../../library/worker/view.ts";
import type { StartAnswer, StartOrder } from "../../ports/supervision.ts";
import type { SupervisorBus } from "../bus/bus.ts";
import { addWorkerBusRoutes } from "../bus/routes.ts";
import { answerData, answerDecision, answerRefusal } from "./answer.ts";
import { answerTooMany, guardedApp, readBody } from "./guard.ts";
import { parseBeat, parseWorkerCommand, parseWorkerStart } from "./orders.ts";
import { signalStream } from "./signals.ts";
import { TokenBucket, type Rate } from "../../library/token-bucket.ts";
import { submitInTurn } from "./turns.ts";
import { addLeaseRoutes, leaseAfter } from "./worker-leases.ts";

/** What one worker's socket takes. */
export const WORKER_RATE: Rate = { perSecond: 200, burst: 400 };

/** What it takes of looks at places in the queue, each of which is decided and none refused. */
const TURN_RATE: Rate = { perSecond: 20, burst: 100 };

/** What may give a worker ground: it is answered when that can be written to. */
const GIVING: ReadonlySet<string> = new Set(["lease.acquire", "lease.hand_over", "place.keep"]);

/** What a worker's socket speaks for. */
export interface WorkerApiOptions {
  readonly seat: Seat;
  readonly bus: SupervisorBus;
  readonly worker: string;
  readonly token: string;
  readonly onRequest: () => void;
  /** Counts a beat of the worker's own. */
  readonly beat: (progress?: number) => Promise<void>;
  readonly start: (order: StartOrder) => Promise<StartAnswer>;
  /** Resolves when the worker can write to what it holds, as far as that is mounted. */
  readonly untilMounted: () => Promise<void>;
}

/** The app of a worker's socket: its bearer is that worker, whatever it says. */
export function workerApi(options: WorkerApiOptions): Hono {
  const { seat, worker, token, onRequest } = options;
  const by: Actor & { readonly id: string } = {
    kind: "worker",
    id: worker,
    via: "socket",
    host: seat.host.id,
  };
  const app = guardedApp({ token, rate: WORKER_RATE, log: seat.log, onRequest });
  app.get("/v1/worker", async () => answerData(await describe(seat, worker)));
  app.post("/v1/worker/beat", async ({ req }) => {
    const { progress } = parseBeat(await readBody(req));
    const { workers } = seat.loop.state();
    if (hasEnded(workers.get(worker))) return ended(seat, worker);
    await options.beat(progress);
    options.bus.hearWorker(worker, progress);
    return answerData({});
  });
  app.get("/v1/worker/signals", () => signalStream(seat, worker));
  addWorkerBusRoutes(app, options);
  const turns = new TokenBucket(TURN_RATE);
  app.post("/v1/commands", async ({ req }) => {
    const { id, command: given, cwd } = parseWorkerCommand(await readBody(req), by);
    const waitMs = given.kind === "place.keep" ? turns.take() : 0;
    if (waitMs > 0) return answerTooMany(TURN_RATE, { what: "looks at places", waitMs });
    const command = placed(seat, given, { cwd });
    const killed = await answerWithoutPermit(seat, command.kind);
    const asked = { id, by, turn: req.query("turn_ms"), signal: req.raw.signal };
    const answer = killed ?? (await submitInTurn(seat, command, asked));
    if (answer.ok && GIVING.has(command.kind)) await options.untilMounted();
    const more = answer.ok ? await leaseAfter(seat, { command, worker }, answer) : {};
    return answerDecision(answer, ({ entries }) => ({ entries, ...more }));
  });
  addLeaseRoutes(app, {
    seat,
    worker,
    isBelow: (id) => isBelow(seat, id, worker),
    refuse: (id) => notYours(seat, { worker, id }),
  });
  app.post("/v1/workers", async ({ req }) => {
    const answer = await options.start(parseWorkerStart(await readBody(req), by));
    return answerDecision(answer, (granted) => ({ worker: granted.worker }));
  });
  app.get("/v1/workers/:id", async ({ req }) => {
    const id = req.param("id");
    if (!(await isBelow(seat, id, worker))) return notYours(seat, { worker, id });
    const [manifest, view] = [await manifestOf(seat, id), await findWorker(seat, id)];
    return answerData({ manifest, view: wireView(view) });
  });
  app.get("/v1/workers/:id/end", async ({ req }) => {
    const id = req.param("id");
    if (!(await isBelow(seat, id, worker))) return notYours(seat, { worker, id });
    // Whoever hangs up waits no longer.
    const closing = AbortSignal.any([seat.closing, req.raw.signal]);
    return answerData({ view: wireView(await untilEnded({ ...seat, closing }, id)) });
  });
  return app;
}

/** What a worker may know of itself: its manifest, its recorded state, and how it stands. */
async function describe(seat: Seat, id: string): Promise<object> {
  const view = await findWorker(seat, id);
  const { beat_every_ms } = seat.loop.state().contract;
  const manifest = await manifestOf(seat, id);
  const state = view?.state ?? {};
  return { fleet: seat.fleet, manifest, state, view: wireView(view), beat_every_ms };
}

/** What a worker was admitted with; null when its entries do not say so any more. */
async function manifestOf(seat: Seat, id: string): Promise<Manifest | null> {
  const entries = await seat.store.journal.about(id, entriesMax);
  return manifestIn(entries) ?? null;
}

/** The oldest of more entries than this are not looked for: a worker knows its manifest by then. */
const entriesMax = 4_096;

/** Whether an id is this worker's own, or of a worker below it, the dead included. */
async function isBelow(seat: Seat, id: string, worker: string): Promise<boolean> {
  if (id === worker) return true;
  const line = await listLineage(seat, id);
  return line.some((ancestor) => ancestor.id === worker);
}

/** A view as it crosses a wire: names in snake_case, what is the worker's own as it wrote it. */
function wireView(view: WorkerView | undefined): object | null {
  return view === undefined ? null : (toWire(view, "view") as object);
}

/** The same for what it may not see and what there is none of: it learns nothing by asking. */
function notYours(
  seat: Seat,
  { worker, id }: { readonly worker: string; readonly id: string },
): Response {
  const message = `a worker may ask about itself and those below it, ${worker} asked for another`;
  const refusal = refuse("not_authorised", message, { worker, asked: id.slice(0, 128) });
  return answerRefusal(refusal, seat.loop.head().seq);
}

function ended(seat: Seat, worker: string): Response {
  const refusal = refuse("worker_ended", `worker ${worker} must be alive, it has ended`, {
    worker,
  });
  return answerRefusal(refusal, seat.loop.head().seq);
}
