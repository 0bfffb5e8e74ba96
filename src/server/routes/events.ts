import { LIMITS } from "../../kernel/limits.ts";
import type { BusDelivery } from "../../ports/bus.ts";
import { fields } from "../../protocol/document/schema/shape.ts";
import { InputError } from "../../protocol/input.ts";
import type { Bearers } from "../auth/bearers.ts";
import { mustBear, type Caller } from "../auth/caller.ts";
import type { Broadcast } from "../events/broadcast.ts";
import { typedFlag, typedInteger } from "../route/parts.ts";
import { route, type Route } from "../route/route.ts";
import { answerTooMany } from "../route/serving.ts";
import type { ServerWorld } from "../world.ts";

const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** When somebody may try again who found no room, ms. */
const againMs = 5_000;

/** What streams are opened with. */
export interface EventsOptions {
  readonly broadcast: Broadcast;
  readonly bearers: Bearers;
}

/** The route that tells what happens, as it happens. */
export function eventRoutes(world: ServerWorld, so: EventsOptions): readonly Route[] {
  const { seat } = world.member;
  const { broadcast, bearers } = so;
  return [
    route({
      name: "GET /v1/events",
      tag: "events",
      summary: "Follow what happens, as server-sent events",
      details:
        "`entry` is an entry of the journal, its id is its number: with Last-Event-ID, or " +
        "`after`, the stream goes on after it, without loss or duplicate; without both it " +
        "begins now. `roll` and `message` come from the bus, have no id, and may be lost, which " +
        "`lost` counts; `bus` says whether the bus is heard. A token of a service or worker " +
        "hears what is for it on the bus, and no entries.",
      headers: { "Last-Event-ID": "the id of the newest event that is known: go on after it" },
      query: fields({
        after: typedInteger(0, LIMITS.seqMax).optional(),
        journal: typedFlag.optional(),
        bus: typedFlag.optional(),
      }),
      answer: { kind: "text", type: EVENT_STREAM, says: "events, until one side ends it" },
      handle: async ({ query, caller: asked, request }) => {
        const caller = mustBear(asked);
        const isReader = caller.role === "viewer" || caller.role === "operator";
        const headers = { "Content-Type": EVENT_STREAM, "Cache-Control": "no-store" };
        // Asked for the head alone: a body that nobody takes would never end.
        if (request.method === "HEAD") return new Response(null, { headers });
        if (!broadcast.hasRoomFor(caller.token.token)) return answerTooMany("streams", againMs);
        const { seq, name, fleet } = await seat.loop.look();
        const last = isReader && query.journal !== false ? placeOf(request, query.after) : null;
        if (last !== null && last !== undefined && last > seq) {
          const expected = `the number of an entry of the journal, which ends at ${seq}`;
          const got = String(last);
          throw new InputError("entry_unknown", [{ path: "Last-Event-ID", expected, got }]);
        }
        const afterSeq = last === undefined ? seq : last;
        const opening = { fleet, name, seq: afterSeq, bus: broadcast.isBusUp };
        const hears = query.bus === false ? () => false : hearingOf(seat.fleet, caller);
        const mayGoOn = (): boolean => bearers.isGood(caller.token);
        const stream = broadcast.open({
          opening,
          afterSeq,
          hears,
          mayGoOn,
          owner: caller.token.token,
        });
        request.signal.addEventListener("abort", () => stream.end());
        return new Response(stream.body(), { headers });
      },
    }),
  ];
}

/** After which entry a stream is to go on; undefined: it is not said. Throws an InputError. */
function placeOf(request: Request, after: number | undefined): number | undefined {
  const given = request.headers.get("Last-Event-ID");
  if (given === null || given === "") return after;
  if (/^(0|[1-9][0-9]{0,12})$/.test(given) && Number(given) <= LIMITS.seqMax) return Number(given);
  const expected = "the id of an event";
  throw new InputError("usage", [
    { path: "Last-Event-ID", expected, got: JSON.stringify(given.slice(0, 60)) },
  ]);
}

/** What of the bus a caller hears: readers all that is told, others what is below their own. */
function hearingOf(fleet: string, { role, token }: Caller): (delivery: BusDelivery) => boolean {
  if (role === "viewer" || role === "operator") return () => true;
  const own =
    role === "service"
      ? `system.${token.service ?? ""}.`
      : `fleet.${fleet}.worker.${token.worker}.`;
  return (delivery) => delivery.kind !== "message" || delivery.envelope.subject.startsWith(own);
}
