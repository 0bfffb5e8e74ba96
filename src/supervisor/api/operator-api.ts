import type { StartAnswer, StartOrder, SupervisorStatus } from "../../ports/supervision.ts";
import type { Hono } from "hono";
import { placed } from "../../library/ground/placing.ts";
import type { Seat } from "../../library/seat.ts";
import type { SupervisorBus } from "../bus/bus.ts";
import { addBusRoutes } from "../bus/routes.ts";
import { answerData, answerDecision } from "./answer.ts";
import { guardedApp, readBody } from "./guard.ts";
import { parseLeave, parseOperatorCommand, parseOperatorStart } from "./orders.ts";
import type { Rate } from "../../library/token-bucket.ts";
import { submitInTurn } from "./turns.ts";
import { leaseLeft } from "./worker-leases.ts";

/** What the operator's socket takes: enough for many busy processes, not for one gone wild. */
const OPERATOR_RATE: Rate = { perSecond: 10_000, burst: 20_000 };

/** What the operator's socket speaks for. */
export interface OperatorApiOptions {
  readonly seat: Seat;
  readonly bus: SupervisorBus;
  readonly token: string;
  readonly onRequest: () => void;
  readonly status: () => SupervisorStatus;
  readonly start: (order: StartOrder) => Promise<StartAnswer>;
  readonly leave: (options: { readonly stopGraceMs?: number }) => Promise<readonly string[]>;
}

/** The app of `operator.sock`: its bearer acts as the operator of the fleet. */
export function operatorApi(options: OperatorApiOptions): Hono {
  const { seat, token, onRequest } = options;
  const app = guardedApp({ token, rate: OPERATOR_RATE, log: seat.log, onRequest });
  app.get("/v1/status", () => answerData(options.status()));
  app.post("/v1/commands", async ({ req }) => {
    const { id, command: given, by, cwd } = parseOperatorCommand(await readBody(req));
    const command = placed(seat, given, { cwd });
    const asked = { id, by, turn: req.query("turn_ms"), signal: req.raw.signal };
    const answer = await submitInTurn(seat, command, asked);
    // Whoever follows the journal itself sees what became of the lease there.
    const isAsked = answer.ok && req.query("sights") === "true";
    const more = isAsked ? await leaseLeft(seat, command, answer.entries) : {};
    return answerDecision(answer, ({ entries }) => ({ entries, ...more }));
  });
  app.post("/v1/workers", async ({ req }) => {
    const answer = await options.start(parseOperatorStart(await readBody(req)));
    return answerDecision(answer, ({ worker }) => ({ worker }));
  });
  addBusRoutes(app, options);
  app.post("/v1/leave", async ({ req }) => {
    const { stop_grace_ms: stopGraceMs } = parseLeave(await readBody(req));
    const workers = await options.leave(stopGraceMs === undefined ? {} : { stopGraceMs });
    return answerData({ workers });
  });
  return app;
}
