import { z } from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import type { State, Worker } from "../../kernel/state.ts";
import { toWire } from "../../library/names.ts";
import { findWorker } from "../../library/worker/history.ts";
import { documentOf } from "../../library/worker/view.ts";
import { pageOf } from "../../protocol/document/schema/page.ts";
import { fields } from "../../protocol/document/schema/shape.ts";
import { workerSchema } from "../../protocol/document/schema/worker.ts";
import { oneOf, plainName, text } from "../../protocol/scalar.ts";
import type { WrittenAnswers } from "../answer/cached.ts";
import { mustBear } from "../auth/caller.ts";
import { idParams, pageQuery, typedFlag } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import { answerUnknown, ownLineOf, ownOr } from "../view/own.ts";
import type { ServerWorld } from "../world.ts";

const sizeDefault = 1_000;

const listQuery = fields({
  ...pageQuery,
  status: oneOf(["admitted", "running", "stopping", "stopped"]).optional(),
  name: plainName.optional(),
  parent: text(LIMITS.commandIdCharsMax, 1).optional(),
  stale: typedFlag.optional(),
});

/** The routes about workers. */
export function workerRoutes(world: ServerWorld, answers: WrittenAnswers): readonly Route[] {
  const { seat } = world.member;
  const tag = "workers";
  return [
    route({
      name: "GET /v1/workers",
      isTagged: true,
      tag,
      summary: "List the live workers",
      details:
        "In the order of their ids, `limit` at a time (1000 by default, 10000 at most). Workers " +
        "that ended are in the journal, and are shown by their ids.",
      query: listQuery,
      answer: json(pageOf("Workers", workerSchema), "workers, by id"),
      handle: async ({ query, request }) => {
        const state = await seat.loop.look();
        const key = `workers ${JSON.stringify(query)}`;
        const make = (): string => writeWorkers(state, query);
        return answers.answer(request, { state, key, make });
      },
    }),
    route({
      name: "GET /v1/workers/{id}",
      tag,
      summary: "Show a worker, also one that has ended",
      params: idParams,
      answer: json(workerSchema, "the worker"),
      handle: async ({ params, caller }) => {
        const id = await ownOr(world, params.id, mustBear(caller));
        const view = await findWorker(seat, id);
        return view === undefined ? answerUnknown(seat, id) : Response.json(toWire(view, "worker"));
      },
    }),
    route({
      name: "GET /v1/workers/{id}/lineage",
      tag,
      summary: "List a worker, its parent, and so on up to its root",
      params: idParams,
      answer: json(fields({ workers: z.array(workerSchema) }), "the worker first"),
      handle: async ({ params, caller }) => {
        const id = await ownOr(world, params.id, mustBear(caller));
        const line = await ownLineOf(world, id, mustBear(caller));
        if (line.length === 0) return answerUnknown(seat, id);
        return Response.json({ workers: line.map((view) => toWire(view, "worker")) });
      },
    }),
  ];
}

/** Workers as JSON: a state shares with the one before it all workers that have not changed. */
const written = new WeakMap<Worker, string>();

function writeWorker(worker: Worker): string {
  const before = written.get(worker);
  if (before !== undefined) return before;
  const text = JSON.stringify(documentOf(worker));
  written.set(worker, text);
  return text;
}

/** A part of the list as JSON, which is a `Page<WorkerDocument>`. */
function writeWorkers(state: State, query: z.infer<typeof listQuery>): string {
  const { after, limit = sizeDefault, status, name, parent, stale } = query;
  const items: string[] = [];
  let last: string | null = null;
  let next: string | null = null;
  for (const [id, worker] of state.workers.entriesFrom(after ?? "")) {
    if (id === after) continue;
    if (status === undefined ? worker.status === "stopped" : worker.status !== status) continue;
    if (name !== undefined && worker.name !== name) continue;
    if (parent !== undefined && worker.parent !== parent) continue;
    if (stale !== undefined && worker.stale !== stale) continue;
    if (items.length === limit) {
      next = last;
      break;
    }
    items.push(writeWorker(worker));
    last = id;
  }
  return `{"items":[${items.join()}],"next":${JSON.stringify(next)},"seq":${state.seq}}`;
}
