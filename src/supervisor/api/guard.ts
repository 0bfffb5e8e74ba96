import { Hono, type MiddlewareHandler } from "hono";
import type { Log } from "../../ports/log.ts";
import { InputError, describeValue } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import { tokenCheck } from "../token.ts";
import { answerError, answerThrown } from "./answer.ts";
import { TokenBucket, type Rate } from "../../library/token-bucket.ts";

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
    return waitMs === 0 ? next() : answerTooMany(rate, { what: "requests", waitMs });
  };
}

/** Tells how long until more of something is taken. */
export function answerTooMany(
  rate: Rate,
  { what, waitMs }: { readonly what: string; readonly waitMs: number },
): Response {
  const message =
    `this socket takes ${rate.perSecond} ${what} a second, ${rate.burst} at once, ` +
    `try again in ${waitMs} ms`;
  return answerError(
    { code: "rate_limited", message, retryable: true },
    {
      status: PROBLEMS.rate_limited.http,
      headers: { "Retry-After": String(Math.ceil(waitMs / 1_000)) },
    },
  );
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

/** Turns away what says beforehand that it is too large; what does not say is counted as read. */
function limitBody(): MiddlewareHandler {
  return async (context, next) => {
    const bytes = Number(context.req.header("Content-Length") ?? 0);
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    return next();
  };
}

/**
 * The body of a request as JSON. Throws an InputError; of a body that is too large no more is read
 * than shows it.
 */
export async function readBody({ raw }: { readonly raw: Request }): Promise<unknown> {
  const text = await readText(raw.body);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const problem = { path: BODY, expected: "JSON", got: describeValue(text) };
    throw new InputError("usage", [problem]);
  }
}

async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** What a body is called in a message. */
const BODY = "the body of a request";

function tooLarge(): InputError {
  const expected = `at most ${BODY_BYTES_MAX} bytes`;
  return new InputError("limit_exceeded", [{ path: BODY, expected, got: "more" }]);
}
