import { z } from "zod";
import { refuse } from "../../kernel/refusal.ts";
import { leasesOf } from "../../kernel/lease/book.ts";
import type { Lease } from "../../kernel/lease/lease.ts";
import type { State } from "../../kernel/state.ts";
import type { LanesDocument } from "../../protocol/document/fleet.ts";
import type { LeaseDocument } from "../../protocol/document/ground.ts";
import { laneSchema, leaseSchema } from "../../protocol/document/schema/ground.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import type { Page } from "../../protocol/document/page.ts";
import { pageOf } from "../../protocol/document/schema/page.ts";
import { count, fields, named } from "../../protocol/document/schema/shape.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { text } from "../../protocol/scalar.ts";
import type { WrittenAnswers } from "../answer/cached.ts";
import { answerRefusal } from "../answer/problem.ts";
import { mustBear, type Caller } from "../auth/caller.ts";
import { giveAndTell } from "../route/give.ts";
import { idParams, pageQuery, reasonText } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import { isSeen, laneDocuments, leaseDocument } from "../view/ground.ts";
import type { ServerWorld } from "../world.ts";

const sizeDefault = 1_000;

const leaseQuery = fields({
  ...pageQuery,
  holder: text(LIMITS.holderBytesMax, 1).optional(),
  lane: text(LIMITS.nameCharsMax, 1).optional(),
});

const lanesSchema = named("Lanes", "The lanes in force, in the order of their enactment.", {
  lanes: z.array(laneSchema),
  seq: count,
});

/** The routes about leases and lanes. */
export function groundRoutes(world: ServerWorld, written: WrittenAnswers): readonly Route[] {
  const { seat } = world.member;
  const tag = "ground";
  return [
    route({
      name: "GET /v1/leases",
      isTagged: true,
      tag,
      summary: "List the leases that live",
      details: "By id. A worker's token shows that worker's own.",
      query: leaseQuery,
      answer: json(pageOf("Leases", leaseSchema), "leases, by id"),
      handle: async ({ query, caller, request }) => {
        const state = await seat.loop.look();
        const own = ownOf(mustBear(caller));
        const key = `leases ${own ?? ""} ${JSON.stringify(query)}`;
        const make = (): Page<LeaseDocument> => listLeases(state, query, own);
        return written.answer(request, { state, key, make });
      },
    }),
    route({
      name: "GET /v1/leases/{id}",
      isTagged: true,
      tag,
      summary: "Show a lease that lives",
      params: idParams,
      answer: json(leaseSchema, "the lease"),
      handle: async ({ params, caller, request }) => {
        const state = await seat.loop.look();
        const lease = state.book.leases.get(params.id);
        if (lease === undefined || !isSeen(lease, ownOf(mustBear(caller)))) {
          const message = "the id must be that of a live lease that this token may see, it is not";
          return answerRefusal(refuse("lease_unknown", message, { lease: params.id }), state.seq);
        }
        const make = (): LeaseDocument => leaseDocument(state, lease);
        return written.answer(request, { state, key: `lease ${lease.id}`, make });
      },
    }),
    route({
      name: "POST /v1/leases/{id}/revoke",
      tag,
      summary: "Take a lease from its holder",
      params: idParams,
      body: fields({ reason: reasonText }),
      answer: json(decidedSchema, "the entries"),
      handle: ({ params, body, caller, commandId }) => {
        const data = { lease: params.id, reason: body.reason };
        const so = { caller: mustBear(caller), commandId };
        return giveAndTell(world, { kind: "lease.revoke", data, ...so });
      },
    }),
    route({
      name: "GET /v1/lanes",
      isTagged: true,
      tag,
      summary: "List the lanes, and who holds them",
      answer: json(lanesSchema, "the lanes"),
      details: "A worker's token shows that worker's own leases on them.",
      handle: async ({ caller, request }) => {
        const state = await seat.loop.look();
        const own = ownOf(mustBear(caller));
        const make = (): LanesDocument => ({ lanes: laneDocuments(state, own), seq: state.seq });
        return written.answer(request, { state, key: `lanes ${own ?? ""}`, make });
      },
    }),
  ];
}

/** The worker whose leases alone are shown; undefined: all are. */
function ownOf({ role, token }: Caller): string | undefined {
  return role === "worker" ? (token.worker ?? "") : undefined;
}

function listLeases(
  state: State,
  query: z.infer<typeof leaseQuery>,
  own: string | undefined,
): Page<LeaseDocument> {
  const { after, limit = sizeDefault, holder, lane } = query;
  const { leases } = state.book;
  const items: LeaseDocument[] = [];
  let next: string | null = null;
  const seen = own === undefined ? leases.entriesFrom(after ?? "") : ownLeases(state, own, after);
  for (const [id, lease] of seen) {
    if (id === after) continue;
    if (lane !== undefined && lease.lane !== lane) continue;
    const document = leaseDocument(state, lease);
    if (holder !== undefined && document.holder !== holder) continue;
    if (items.length === limit) {
      next = items.at(-1)?.id ?? null;
      break;
    }
    items.push(document);
  }
  return { items, next, seq: state.seq };
}

function ownLeases(
  { book }: State,
  worker: string,
  after: string | undefined,
): readonly (readonly [string, Lease])[] {
  return [...leasesOf(book, { worker })]
    .map((lease) => [lease.id, lease] as const)
    .filter(([id]) => after === undefined || id > after)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}
