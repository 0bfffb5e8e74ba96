import type { Hono } from "hono";
import { identityAs, parsePublish, readAs, readBeatsOrder } from "../../bus/message.ts";
import type { Seat } from "../../library/seat.ts";
import type { BusIdentity } from "../../ports/bus.ts";
import { answerData } from "../api/answer.ts";
import { readBody } from "../api/guard.ts";
import type { SupervisorBus } from "./bus.ts";
import { busStream } from "./stream.ts";

/** What the routes of the bus work with. */
export interface BusRoutesOptions {
  readonly seat: Seat;
  readonly bus: SupervisorBus;
}

/** Adds bus, beats and roll to the operator's socket; it may speak for one service instead. */
export function addBusRoutes(app: Hono, { seat, bus }: BusRoutesOptions): void {
  app.get("/v1/roll", async ({ req }) => answerData(await bus.document(req.query("name"))));
  app.post("/v1/beats", async ({ req }) => {
    const { beats, as } = readBeatsOrder(await readBody(req));
    return answerData(bus.desk.take(identityAs(as), beats));
  });
  app.get("/v1/bus", ({ req }) => {
    const by = identityAs(readAs(req.query("as")));
    return busStream(bus.hub.subscribe(by, req.queries("subject") ?? []), seat);
  });
  app.post("/v1/bus", async ({ req }) => {
    const { as, ...message } = parsePublish(await readBody(req));
    return answerPublished(bus, identityAs(as), message);
  });
}

/** Adds the bus to a worker's socket: its own subjects, and none besides. */
export function addWorkerBusRoutes(
  app: Hono,
  { seat, bus, worker }: BusRoutesOptions & { readonly worker: string },
): void {
  const by: BusIdentity = { kind: "worker", id: worker };
  app.get("/v1/worker/bus", ({ req }) =>
    busStream(bus.hub.subscribe(by, req.queries("subject") ?? []), seat),
  );
  app.post("/v1/worker/bus", async ({ req }) => {
    const { as: _, ...message } = parsePublish(await readBody(req));
    return answerPublished(bus, by, message);
  });
}

function answerPublished(
  { hub }: SupervisorBus,
  from: BusIdentity,
  { subject, body, ttl_ms: ttlMs }: ReturnType<typeof parsePublish>,
): Response {
  const ttl = ttlMs === undefined ? {} : { ttlMs };
  return answerData({ id: hub.publish(from, { subject, body, ...ttl }).id });
}
