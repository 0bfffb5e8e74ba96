import { LIMITS } from "../../kernel/limits.ts";
import { freshToken, tokenOfCommand } from "../../library/access/fresh-token.ts";
import { ROLES } from "../../protocol/document/access.ts";
import { issuedSchema, tokensSchema } from "../../protocol/document/schema/access.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { fields, words } from "../../protocol/document/schema/shape.ts";
import { integer, oneOf } from "../../protocol/scalar.ts";
import { answerRefusal } from "../answer/problem.ts";
import { mustBear } from "../auth/caller.ts";
import { give, giveAndTell } from "../route/give.ts";
import { idParams } from "../route/parts.ts";
import { json, route, type Route } from "../route/route.ts";
import { listTokens } from "../view/token.ts";
import type { ServerWorld } from "../world.ts";

/** The routes about tokens. */
export function tokenRoutes(world: ServerWorld): readonly Route[] {
  const { seat } = world.member;
  const tag = "access";
  return [
    route({
      name: "GET /v1/tokens",
      tag,
      summary: "List the tokens that are live",
      answer: json(tokensSchema, "the tokens"),
      handle: async () => Response.json(listTokens(await seat.loop.look(), nowMs(world))),
    }),
    route({
      name: "POST /v1/tokens",
      tag,
      summary: "Issue a token",
      details:
        "Its secret is shown this once, and to who asks the same again under its key. " +
        "`service` is given with the role service and `worker` " +
        "with the role worker, and with no other.",
      body: fields({
        role: oneOf(ROLES),
        label: words.optional(),
        service: words.optional(),
        worker: words.optional(),
        lifetime_ms: integer(LIMITS.tokenLifetimeMsMin, LIMITS.tokenLifetimeMsMax),
      }),
      answer: json(issuedSchema, "the token with its secret"),
      handle: async ({ body, caller, commandId }) => {
        const { keys, fleet } = seat;
        const made =
          commandId === undefined
            ? freshToken()
            : tokenOfCommand(keys.signer, { fleet, commandId });
        const { secret, ...fresh } = made;
        const data = { ...body, ...fresh };
        const so = { caller: mustBear(caller), commandId };
        const answer = await give(world, { kind: "token.issue", data, ...so });
        if (!answer.ok) return answerRefusal(answer.refusal, answer.seq);
        const issued = answer.entries.find(({ kind }) => kind === "token.issued");
        const expires_at_ms = issued?.kind === "token.issued" ? issued.data.expires_at_ms : 0;
        const { token } = fresh;
        return Response.json({ token, role: body.role, secret, expires_at_ms });
      },
    }),
    route({
      name: "DELETE /v1/tokens/{id}",
      tag,
      summary: "Revoke a token",
      params: idParams,
      answer: json(decidedSchema, "the entries"),
      handle: ({ params, caller, commandId }) => {
        const so = { caller: mustBear(caller), commandId };
        return giveAndTell(world, { kind: "token.revoke", data: { token: params.id }, ...so });
      },
    }),
  ];
}

function nowMs({ member }: ServerWorld): number {
  return member.seat.clock.read().wallMs;
}
