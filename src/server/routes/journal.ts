import { entrySchema, explainedSchema } from "../../protocol/document/schema/journal.ts";
import type { Page } from "../../protocol/document/page.ts";
import { pageOf } from "../../protocol/document/schema/page.ts";
import { fields } from "../../protocol/document/schema/shape.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { explainEntry } from "../../library/explain/explain.ts";
import { InputError } from "../../protocol/input.ts";
import { text } from "../../protocol/scalar.ts";
import { headAfter } from "../events/pages.ts";
import { typedInteger } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import { answerTooMany } from "../route/serving.ts";
import type { ServerWorld } from "../world.ts";

const sizeDefault = 100;
const sizeMax = 1_000;

const seqParams = fields({ seq: typedInteger(1, LIMITS.seqMax) });

/** The routes about the journal. */
export function journalRoutes({ member }: ServerWorld): readonly Route[] {
  const { seat } = member;
  const { journal } = seat.store;
  const tag = "journal";
  const explaining = new OneByOne();
  return [
    route({
      name: "GET /v1/journal",
      tag,
      summary: "Read entries of the journal",
      details:
        "Those after `after`, oldest first; with `about`, the newest about a worker, lease or " +
        "place, newest first, which have no further part.",
      query: fields({
        after: typedInteger(0, LIMITS.seqMax).optional(),
        limit: typedInteger(1, sizeMax).optional(),
        about: text(LIMITS.commandIdCharsMax, 1).optional(),
      }),
      answer: json(pageOf("Entries", entrySchema), "entries"),
      handle: async ({ query }) => {
        const { after = 0, limit = sizeDefault, about } = query;
        const { seq } = await seat.loop.look();
        if (about !== undefined) {
          const items = await journal.about(about, limit);
          return Response.json({ items, next: null, seq } satisfies Page<Entry>);
        }
        const head = await headAfter(journal, after);
        const items = head === undefined ? [] : await journal.read(head, limit);
        const last = items.at(-1)?.seq ?? seq;
        const next = last < seq ? String(last) : null;
        return Response.json({ items, next, seq } satisfies Page<Entry>);
      },
    }),
    route({
      name: "GET /v1/journal/{seq}",
      tag,
      summary: "Show an entry",
      params: seqParams,
      answer: json(entrySchema, "the entry"),
      handle: async ({ params }) => {
        const head = await headAfter(journal, params.seq - 1);
        const [entry] = head === undefined ? [] : await journal.read(head, 1);
        if (entry?.seq === params.seq) return Response.json(entry);
        const { seq } = seat.loop.head();
        const got = `${params.seq}; the newest is ${seq}`;
        const expected = "the number of an entry of the journal";
        throw new InputError("entry_unknown", [{ path: "path.seq", expected, got }]);
      },
    }),
    route({
      name: "GET /v1/journal/{seq}/explanation",
      tag,
      summary: "Say why an entry is as it is",
      details: "It is decided again on the state before it; reads the journal up to there.",
      params: seqParams,
      answer: json(explainedSchema, "why"),
      handle: ({ params, request }) =>
        explaining.run(request.signal, async () =>
          Response.json(await explainEntry(journal, params.seq)),
        ),
    }),
  ];
}

/** How many may wait for what costs as much as the journal is long, and when to ask again, ms. */
const waitingMax = 8;
const againMs = 2_000;

/** Does one after the other what costs as much as the journal is long, for few, while they wait. */
export class OneByOne {
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  async run(signal: AbortSignal, work: () => Promise<Response>): Promise<Response> {
    if (this.#waiting >= waitingMax) return answerTooMany("explanations at once", againMs);
    this.#waiting += 1;
    const inTurn = async (): Promise<Response> => {
      this.#waiting -= 1;
      // Who has hung up reads no answer.
      return signal.aborted ? new Response(null) : work();
    };
    const mine = this.#turn.then(inTurn, inTurn);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
