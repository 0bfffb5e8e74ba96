import { z } from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import { kill } from "../../library/kill/kill.ts";
import type { Receipt } from "../../library/kill/receipt.ts";
import { stopWithReceipt } from "../../library/kill/stop.ts";
import { toWire } from "../../library/names.ts";
import { foreseeStop } from "../../library/worker/blast-radius.ts";
import { resolveAllNow } from "../../library/worker/reference.ts";
import { parseStop, type StopOptions } from "../../library/worker/stop-order.ts";
import { receiptSchema } from "../../protocol/document/schema/fleet.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { fields, named, words } from "../../protocol/document/schema/shape.ts";
import { doomedSchema } from "../../protocol/document/schema/worker.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { integer, text } from "../../protocol/scalar.ts";
import { mustBear } from "../auth/caller.ts";
import { giveAndTell } from "../route/give.ts";
import { reasonText, typedFlag } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import type { ServerWorld } from "../world.ts";

/** How long tasks are given to settle after the signal of a kill, ms. */
const settleMs = 2_000;

/** How many workers may be named in one stop. */
const namedMax = 1_000;

const stopBody = fields({
  workers: z
    .array(text(LIMITS.commandIdCharsMax, 1), { error: `1 to ${namedMax} workers` })
    .min(1, { error: `1 to ${namedMax} workers` })
    .max(namedMax, { error: `1 to ${namedMax} workers` })
    .meta({ description: "ids, first characters of ids, or names" }),
  tree: z.boolean({ error: "true or false" }).optional(),
  reason: reasonText.optional(),
  grace_ms: integer(0, LIMITS.stopGraceMsMax).optional(),
});

const stopAnswer = z.union([
  receiptSchema,
  named("BlastRadius", "Who would end by a stop, parents first.", {
    doomed: z.array(doomedSchema),
  }),
]);

/** The routes that end things, or hold them up. */
export function orderRoutes(world: ServerWorld): readonly Route[] {
  const { member } = world;
  const { seat } = member;
  return [
    route({
      name: "POST /v1/stop",
      tag: "orders",
      summary: "Stop workers, wait for their end, and show the proof",
      details:
        "With `dry_run=true` it says who would end, and nothing is written. Without `tree` " +
        "descendants stay, but for those that lose their parent and end by the contract.",
      query: fields({ dry_run: typedFlag.optional() }),
      body: stopBody,
      answer: json(stopAnswer, "the receipt, or who would end"),
      isUrgent: true,
      handle: async ({ query, body, caller }) => {
        const { workers, tree = false, reason, grace_ms: graceMs } = body;
        const options = { tree, reason, graceMs };
        const order = parseStop(JSON.parse(JSON.stringify(options)) as StopOptions);
        const by = mustBear(caller).actor;
        const ids = await resolveAllNow(seat, workers);
        if (query.dry_run === true)
          return Response.json({ doomed: foreseeStop(seat.loop.state(), ids, { tree, by }) });
        return showReceipt(await stopWithReceipt(member, ids, { order, by }));
      },
    }),
    route({
      name: "POST /v1/kill",
      tag: "orders",
      summary: "End the fleet for good: every worker now, and never another",
      details: "The fleet's own name must be given. May be repeated.",
      body: fields({ fleet: words, reason: reasonText }),
      answer: json(receiptSchema, "the receipt"),
      isUrgent: true,
      handle: async ({ body, caller }) => {
        const { name } = seat.loop.state();
        if (body.fleet !== name) {
          const expected = `the name of the fleet, ${describeValue(name)}`;
          const got = describeValue(body.fleet);
          throw new InputError("usage", [{ path: "body.fleet", expected, got }]);
        }
        const order = { reason: body.reason, settleMs };
        return showReceipt(await kill(member, order, mustBear(caller).actor));
      },
    }),
    holding(world, "POST /v1/pause", { kind: "fleet.pause", summary: "Take nothing new" }),
    holding(world, "POST /v1/resume", { kind: "fleet.resume", summary: "End a pause" }),
  ];
}

function holding(
  world: ServerWorld,
  name: "POST /v1/pause" | "POST /v1/resume",
  so: { readonly kind: "fleet.pause" | "fleet.resume"; readonly summary: string },
): Route {
  return route({
    name,
    tag: "orders",
    summary: so.summary,
    body: fields({ reason: reasonText }),
    answer: json(decidedSchema, "the entries"),
    handle: ({ body: data, caller, commandId }) =>
      giveAndTell(world, { kind: so.kind, data, caller: mustBear(caller), commandId }),
  });
}

function showReceipt(receipt: Receipt): Response {
  return Response.json(toWire(receipt, "receipt"));
}
