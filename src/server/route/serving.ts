import type { Context } from "hono";
import type { Parser } from "../../protocol/parse.ts";
import { parserOf } from "../../protocol/parse.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Log } from "../../ports/log.ts";
import { answerProblem, answerThrown } from "../answer/problem.ts";
import { admittedTo } from "../auth/access.ts";
import type { Bearers } from "../auth/bearers.ts";
import { callerOf, type Caller } from "../auth/caller.ts";
import { readJson, readText, WrongMediaType } from "../guard/body.ts";
import { commandIdOf, keyOf, OnceAnswers, type Keyed } from "../guard/once.ts";
import { Rates, type Rate } from "../guard/rate.ts";
import { nameRoute } from "../telemetry.ts";
import type { Asked, Route } from "./route.ts";
import { nothing } from "./parts.ts";

/** What one token may ask: enough for a busy program, not for one gone wild. */
const TOKEN_RATE: Rate = { perSecond: 200, burst: 1_000 };

/** What one address may ask without a token. */
const STRANGER_RATE: Rate = { perSecond: 20, burst: 200 };

/** How often one address may show what opens nothing. */
const FAILURE_RATE: Rate = { perSecond: 0.5, burst: 20 };

const UNAUTHENTICATED = 401;
const UNSUPPORTED_MEDIA_TYPE = 415;

const BEARER = /^Bearer +([\x21-\x7e]{1,256})$/i;

/** What requests are let through by. */
export interface ServingOptions {
  readonly bearers: Bearers;
  /** The host that callers are named on. */
  readonly host: string;
  readonly log: Log;
  /** Told of each request that showed nothing that opens. */
  readonly onFailure: () => void;
}

/** Where a request came from; made by the listener. */
export interface Origin {
  readonly address: string;
}

/** Lets requests through to their routes: who may, not too many, each once, and only checked. */
export class Serving {
  readonly #so: ServingOptions;
  readonly #tokens = new Rates(TOKEN_RATE);
  readonly #strangers = new Rates(STRANGER_RATE);
  readonly #failures = new Rates(FAILURE_RATE);
  readonly #once = new OnceAnswers();

  constructor(options: ServingOptions) {
    this.#so = options;
  }

  /** The handler of a route. */
  handlerOf(route: Route): (context: Context, origin: Origin) => Promise<Response> {
    const parse = {
      params: parserOf("path", route.params ?? nothing),
      query: parserOf("query", route.query ?? nothing),
      body: parserOf("body", route.body ?? nothing),
    };
    return async (context, origin) => {
      nameRoute(route.name);
      try {
        return await this.#serve(route, { context, origin, parse });
      } catch (error) {
        if (!(error instanceof WrongMediaType)) return answerThrown(error, this.#so.log);
        const { message: detail } = error;
        return answerProblem("usage", { detail, status: UNSUPPORTED_MEDIA_TYPE });
      }
    };
  }

  /** How long until one more is taken who showed what opens nothing, ms; 0: it is. */
  fail(address: string): number {
    this.#so.onFailure();
    return this.#failures.take(address);
  }

  async #serve(
    route: Route,
    so: {
      readonly context: Context;
      readonly origin: Origin;
      readonly parse: Readonly<Record<"params" | "query" | "body", Parser<unknown>>>;
    },
  ): Promise<Response> {
    const { context, origin, parse } = so;
    const { req } = context;
    const { address } = origin;
    const caller = this.#admit(route, req.header("Authorization"), address);
    if (caller instanceof Response) return caller;
    const params = parse.params(req.param());
    const query = parse.query(queryOf(req.queries()));
    const text = route.body === undefined ? "" : await readText(req.raw);
    const body = route.body === undefined ? undefined : parse.body(readJson(text));
    const about = { params, query, caller, request: req.raw, address };
    const give = async (commandId: string | undefined): Promise<Response> => {
      const asked: Asked<unknown, unknown, unknown> = { ...about, body, commandId };
      return route.handle(asked);
    };
    const key = req.method === "GET" ? undefined : keyOf(req.raw);
    if (key === undefined || caller === undefined) return give(undefined);
    const { pathname, search } = new URL(req.url);
    const scope = `${caller.token.token}\n${req.method} ${pathname}${search}`;
    const keyed: Keyed = { scope, key, body: text };
    return this.#once.answer(keyed, async () => {
      try {
        return await give(commandIdOf(keyed));
      } catch (error) {
        return answerThrown(error, this.#so.log);
      }
    });
  }

  /** Who asks; undefined where anybody may; or the answer to who may not. */
  #admit(
    { name, isUrgent }: Route,
    shown: string | undefined,
    address: string,
  ): Caller | Response | undefined {
    const admitted = admittedTo(name);
    if (admitted === "anybody") {
      const waitMs = this.#strangers.take(address);
      return waitMs === 0 ? undefined : answerTooMany("requests without a token", waitMs);
    }
    const { bearers, host } = this.#so;
    const secret = BEARER.exec(shown ?? "")?.[1];
    const token = secret === undefined ? undefined : bearers.find(secret);
    if (token === undefined) {
      const waitMs = this.fail(address);
      return waitMs === 0 ? unauthenticated(shown) : answerTooMany("tokens that are none", waitMs);
    }
    if (!admitted.includes(token.role)) {
      const detail =
        `${name} is for tokens of the role ${admitted.join(" or ")}, ` +
        `this one's role is ${token.role}`;
      return answerProblem("not_authorised", { detail });
    }
    const waitMs = isUrgent === true ? 0 : this.#tokens.take(token.token);
    return waitMs === 0 ? callerOf(token, host) : answerTooMany("requests by one token", waitMs);
  }
}

function unauthenticated(shown: string | undefined): Response {
  const got = shown === undefined ? "none" : "one that is unknown, revoked or expired";
  const detail = `a request must bear a token ("Authorization: Bearer …"), it bore ${got}`;
  const headers = { "WWW-Authenticate": 'Bearer realm="stint"' };
  return answerProblem("not_authorised", { detail, status: UNAUTHENTICATED, headers });
}

/** Tells how long until more is taken. */
export function answerTooMany(what: string, waitMs: number): Response {
  const { http: status } = PROBLEMS.rate_limited;
  const detail = `there were too many ${what}, try again in ${waitMs} ms`;
  const headers = { "Retry-After": String(Math.ceil(waitMs / 1_000)) };
  return answerProblem("rate_limited", { detail, status, headers, retryable: true });
}

/** What is said twice is a list, which no parameter is. */
function queryOf(queries: Readonly<Record<string, readonly string[]>>): object {
  return Object.fromEntries(
    Object.entries(queries).map(([name, values]) => [
      name,
      values.length === 1 ? values[0] : values,
    ]),
  );
}
