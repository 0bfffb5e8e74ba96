import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Log } from "../../ports/log.ts";
import { InputError, describeValue } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import { tokenCheck } from "../token.ts";
import { answerError, answerThrown } from "./answer.ts";
import { TokenBucket, type Rate } from "./token-bucket.ts";

/** The largest body of a request, bytes. */
export const BODY_BYTES_MAX = 2 ** 20;

/** What a socket lets through. */
export interface GuardOptions {
  readonly token: string;
  readonly rate: Rate;
  readonly log: Log;
  /** Called for each request that bears the token. */
  readonly onRequest?: () => void;
}

/**
 * An app that lets through only what bears the token, is not too much and not too large, in this
 * order: too much is refused before a token is looked at, so that none can be guessed fast.
 */
export function guardedApp(options: GuardOptions): Hono {
  const app = new Hono();
  app.onError((error) => answerThrown(error, options.log));
  app.notFound((context) => {
    const problem = { path: "request", expected: "one that this socket takes" };
    const got = `${context.req.method} ${context.req.path}`.slice(0, 200);
    const { message } = new InputError("usage", [{ ...problem, got }]);
    return answerError({ code: "usage", message, retryable: false }, { status: 404 });
  });
  app.use(limitRate(options.rate), demandToken(options), limitBody());
  return app;
}

function limitRate(rate: Rate): MiddlewareHandler {
  const bucket = new TokenBucket(rate);
  return async (_, next) => {
    const waitMs = bucket.take();
    if (waitMs === 0) return next();
    const message =
      `this socket takes ${rate.perSecond} requests a second, ${rate.burst} at once, ` +
      `try again in ${waitMs} ms`;
    return answerError(
      { code: "rate_limited", message, retryable: true },
      {
        status: PROBLEMS.rate_limited.http,
        headers: { "Retry-After": String(Math.ceil(waitMs / 1_000)) },
      },
    );
  };
}

const BEARER = /^Bearer +([A-Za-z0-9_-]+)$/i;

/** The status of a request that does not show who it is from. */
const UNAUTHENTICATED = 401;

function demandToken({ token, onRequest }: GuardOptions): MiddlewareHandler {
  const isToken = tokenCheck(token);
  return async (context, next) => {
    const given = BEARER.exec(context.req.header("Authorization") ?? "")?.[1];
    if (given === undefined || !isToken(given)) {
      const got = given === undefined ? "none" : "another";
      const message = `a request must bear the token of this socket, it bore ${got}`;
      return answerError(
        { code: "not_authorised", message, retryable: false },
        { status: UNAUTHENTICATED, headers: { "WWW-Authenticate": "Bearer" } },
      );
    }
    onRequest?.();
    return next();
  };
}

function limitBody(): MiddlewareHandler {
  return bodyLimit({
    maxSize: BODY_BYTES_MAX,
    onError: () => {
      const expected = `at most ${BODY_BYTES_MAX} bytes`;
      const problem = { path: "the body of a request", expected, got: "more" };
      const { code, message } = new InputError("limit_exceeded", [problem]);
      return answerError({ code, message, retryable: false }, { status: PROBLEMS[code].http });
    },
  });
}

/** The body of a request as JSON. Throws an InputError. */
export async function readBody(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const problem = { path: "the body of a request", expected: "JSON", got: describeValue(text) };
    throw new InputError("usage", [problem]);
  }
}
