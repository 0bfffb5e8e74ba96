import { z } from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import { heartbeat } from "../../library/fleet/steps.ts";
import {
  parseQuarantine,
  quarantine,
  unquarantine,
  type QuarantineOptions,
} from "../../library/steward/quarantine.ts";
import { resolveNow } from "../../library/worker/reference.ts";
import { count, fields, named } from "../../protocol/document/schema/shape.ts";
import { EVIDENCE_LIMITS, jsonObject, magnitude, oneOf, text } from "../../protocol/scalar.ts";
import { answerProblem } from "../answer/problem.ts";
import { mustBear } from "../auth/caller.ts";
import { resolveOnce } from "../route/meant.ts";
import { idParams, reasonText } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import { answerUnknown } from "../view/own.ts";
import type { ServerWorld } from "../world.ts";

const seqSchema = named("Done", "That it was done, and the newest entry then.", { seq: count });

/** The routes that do something with one worker. */
export function workerOrderRoutes(world: ServerWorld): readonly Route[] {
  const { member } = world;
  const { seat } = member;
  const tag = "workers";
  return [
    route({
      name: "POST /v1/workers/{id}/beat",
      tag,
      summary: "Count a beat of a worker",
      params: idParams,
      body: fields({ progress: magnitude.optional() }),
      answer: json(seqSchema, "it is counted"),
      handle: async ({ params, body, caller }) => {
        const { role, token } = mustBear(caller);
        // Below a worker are others, which beat for themselves.
        if (role === "worker" && params.id !== token.worker) return answerUnknown(seat, params.id);
        const id = await resolveNow(seat, params.id);
        const answer = await heartbeat(seat, id, body.progress);
        const { seq } = seat.loop.head();
        if (answer.ok) return Response.json({ seq });
        const { code, message: detail, facts } = answer.refusal;
        return answerProblem(code, { detail, facts, seq: answer.seq ?? seq });
      },
    }),
    route({
      name: "POST /v1/workers/{id}/quarantine",
      tag,
      summary: "Freeze a worker and keep it",
      params: idParams,
      body: fields({
        reason: reasonText,
        source: text(LIMITS.reasonBytesMax, 1).optional(),
        severity: oneOf(["low", "medium", "high", "critical"]).optional(),
        evidence: jsonObject(EVIDENCE_LIMITS).meta({ type: "object" }).optional(),
        tree: z.boolean({ error: "true or false" }).optional(),
      }),
      answer: json(seqSchema, "it is frozen"),
      handle: async ({ params, body, caller, commandId }) => {
        const id = await resolveOnce(seat, params.id, commandId);
        // What is absent is not there: the parser of the body has left it out.
        const order = parseQuarantine(id, body as QuarantineOptions);
        await quarantine(member, id, { ...order, by: mustBear(caller).actor, commandId });
        return Response.json({ seq: seat.loop.head().seq });
      },
    }),
    route({
      name: "POST /v1/workers/{id}/unquarantine",
      tag,
      summary: "Lift a quarantine",
      params: idParams,
      body: fields({ resolution: text(LIMITS.reasonBytesMax, 1).optional() }),
      answer: json(seqSchema, "it runs again"),
      handle: async ({ params, body, caller, commandId }) => {
        const id = await resolveOnce(seat, params.id, commandId);
        const { resolution = "cleared" } = body;
        await unquarantine(member, id, { resolution, by: mustBear(caller).actor, commandId });
        return Response.json({ seq: seat.loop.head().seq });
      },
    }),
  ];
}
