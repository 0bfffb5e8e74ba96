import { freshToken } from "../../library/access/fresh-token.ts";
import type { IssuedDocument, SessionDocument } from "../../protocol/document/access.ts";
import { issuedSchema, sessionSchema } from "../../protocol/document/schema/access.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { fields } from "../../protocol/document/schema/shape.ts";
import { text } from "../../protocol/scalar.ts";
import { answerProblem, answerRefusal } from "../answer/problem.ts";
import type { Bearers } from "../auth/bearers.ts";
import { mustBear } from "../auth/caller.ts";
import { give, giveAndTell } from "../route/give.ts";
import { json, route, type Route } from "../route/route.ts";
import { answerTooMany } from "../route/serving.ts";
import { tokenDocument } from "../view/token.ts";
import type { ServerWorld } from "../world.ts";

/** How long a login lasts, ms. */
const sessionMs = 12 * 3_600_000;

const UNAUTHENTICATED = 401;

/** What a login code may be: what is longer is none. */
const codeBytesMax = 256;

/** What logins are looked up by, and limited. */
export interface LoginOptions {
  readonly bearers: Bearers;
  /** Takes note of a failure; answers how long the next one has to wait, ms. */
  readonly fail: (address: string) => number;
}

/** The routes by which somebody logs in and out. */
export function sessionRoutes(world: ServerWorld, login: LoginOptions): readonly Route[] {
  const { seat } = world.member;
  const tag = "access";
  return [
    route({
      name: "POST /v1/login",
      tag,
      summary: "Exchange a login code for a session",
      details: "A code is good once, for a minute; a session lasts 12 hours. No cookie is set.",
      body: fields({ code: text(codeBytesMax, 1) }),
      answer: json(issuedSchema, "the session's token"),
      handle: async ({ body, address }) => exchange(world, login, { code: body.code, address }),
    }),
    route({
      name: "GET /v1/session",
      tag,
      summary: "Say whose token this is",
      answer: json(sessionSchema, "the token and the fleet"),
      handle: ({ caller }) => {
        const { fleet, name } = seat.loop.state();
        const token = tokenDocument(mustBear(caller).token);
        return Response.json({ token, fleet: fleet ?? "", name } satisfies SessionDocument);
      },
    }),
    route({
      name: "DELETE /v1/session",
      tag,
      summary: "Revoke the token that is shown",
      answer: json(decidedSchema, "the entries"),
      handle: ({ caller, commandId }) => {
        const { token, actor } = mustBear(caller);
        const by = { ...mustBear(caller), actor: { ...actor, kind: "operator" as const } };
        const data = { token: token.token };
        return giveAndTell(world, { kind: "token.revoke", data, caller: by, commandId });
      },
    }),
  ];
}

async function exchange(
  world: ServerWorld,
  { bearers, fail }: LoginOptions,
  { code, address }: { readonly code: string; readonly address: string },
): Promise<Response> {
  const { seat } = world.member;
  await seat.loop.look();
  const found = bearers.findCode(code);
  if (found === undefined) {
    const waitMs = fail(address);
    if (waitMs > 0) return answerTooMany("codes that are none", waitMs);
    const detail = "the code must be a live login code, it is unknown, spent or expired";
    return answerProblem("not_authorised", { detail, status: UNAUTHENTICATED });
  }
  const { secret, ...fresh } = freshToken();
  const data = { token: found.token, into: { ...fresh, lifetime_ms: sessionMs } };
  // Nobody's credential was shown but the code's own, which the rules spend.
  const actor = { kind: "system", via: "http", host: seat.host.id } as const;
  const caller = { token: found, role: found.role, actor };
  const answer = await give(world, { kind: "token.exchange", data, caller, commandId: undefined });
  if (!answer.ok) return answerRefusal(answer.refusal, answer.seq);
  const entry = answer.entries.find(({ kind }) => kind === "token.exchanged");
  const into = entry?.kind === "token.exchanged" ? entry.data.into : undefined;
  const issued: IssuedDocument = {
    token: fresh.token,
    role: found.role,
    secret,
    expires_at_ms: into?.expires_at_ms ?? 0,
  };
  return Response.json(issued);
}
