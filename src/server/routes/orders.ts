import { createHash } from "node:crypto";
import { z } from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import { kill } from "../../library/kill/kill.ts";
import type { Seat } from "../../library/seat.ts";
import type { Receipt } from "../../library/kill/receipt.ts";
import { stopWithReceipt } from "../../library/kill/stop.ts";
import { toWire } from "../../library/names.ts";
import { foreseeStop } from "../../library/worker/blast-radius.ts";
import { parseStop, type StopOptions } from "../../library/worker/stop-order.ts";
import { receiptSchema } from "../../protocol/document/schema/fleet.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { fields, named, words } from "../../protocol/document/schema/shape.ts";
import { doomedSchema } from "../../protocol/document/schema/worker.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { integer, text } from "../../protocol/scalar.ts";
import { mustBear } from "../auth/caller.ts";
import { giveAndTell } from "../route/give.ts";
import { resolveOnce } from "../route/meant.ts";
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
      handle: async ({ query, body, caller, commandId }) => {
        const { workers, tree = false, reason, grace_ms: graceMs } = body;
        const options = { tree, reason, graceMs };
        const order = parseStop(JSON.parse(JSON.stringify(options)) as StopOptions);
        const by = mustBear(caller).actor;
        const isAsked = query.dry_run !== true;
        const receiptId = isAsked ? receiptIdOf(commandId, body) : undefined;
        const recorded = await findRecorded(seat, receiptId);
        if (recorded !== undefined) return Response.json(recorded);
        const commandIds = new Map<string, string>();
        const ids = new Set<string>();
        for (const [index, reference] of workers.entries()) {
          const id = commandId === undefined ? undefined : `${commandId}-${index}`;
          const worker = await resolveOnce(seat, reference, id);
          if (id !== undefined && !ids.has(worker)) commandIds.set(worker, id);
          ids.add(worker);
        }
        if (!isAsked)
          return Response.json({ doomed: foreseeStop(seat.loop.state(), [...ids], { tree, by }) });
        return showReceipt(
          await stopWithReceipt(member, [...ids], { order, by, commandIds, receiptId }),
        );
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

/** Under which the receipt of a stop is found again; the same for the same body alone. */
function receiptIdOf(commandId: string | undefined, body: object): string | undefined {
  if (commandId === undefined) return undefined;
  const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  return `${commandId}-${hash.slice(0, 16)}`;
}

/** The receipt that is journaled under an id, if all of it is. */
async function findRecorded(seat: Seat, id: string | undefined): Promise<object | undefined> {
  const past = id === undefined ? undefined : await seat.store.journal.recall(id);
  const [entry] = past?.entries ?? [];
  if (entry?.kind !== "receipt.recorded") return undefined;
  const { receipt } = entry.data;
  return receipt["workers"] === undefined ? undefined : receipt;
}

function showReceipt(receipt: Receipt): Response {
  return Response.json(toWire(receipt, "receipt"));
}
