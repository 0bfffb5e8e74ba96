import { STATUS_CODES } from "node:http";
import { problemOf, PROBLEM_TYPE } from "../answer/problem.ts";
import { headersOf } from "./headers.ts";

/** The status of what is no request (RFC 9110, 15.5.1). */
export const BAD_REQUEST = 400;

/** The status of one request too many (RFC 6585, 4). */
export const TOO_MANY = 429;

const TIMED_OUT = 408;
const TOO_LARGE = 413;
const HEADERS_TOO_LARGE = 431;

/** A whole answer to what is turned away: a problem, with the headers of every answer. */
export interface TurnedAway {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes such an answer. */
export type TurnAway = (status: number, detail: string) => TurnedAway;

/** Makes the answers of a server to what is turned away, after which the connection is closed. */
export function turnAway(isTls: boolean): TurnAway {
  const common = { ...headersOf({ isTls }), "Cache-Control": "no-store", Connection: "close" };
  return (status, detail) => {
    const code = status === TOO_MANY ? "rate_limited" : "usage";
    const body = JSON.stringify(problemOf(code, { status, detail }));
    return { status, headers: { ...common, "Content-Type": PROBLEM_TYPE }, body };
  };
}

/** What is to be said of bytes that are no request, by what the parser of HTTP says of them. */
export function malformed(error: Error & { readonly code?: string }): {
  readonly status: number;
  readonly detail: string;
} {
  if (error.code === "HPE_HEADER_OVERFLOW")
    return { status: HEADERS_TOO_LARGE, detail: "the headers must be at most 16 KiB" };
  if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return { status: TOO_LARGE, detail: "the extensions of a chunk must be short" };
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return { status: TIMED_OUT, detail: "the request must come whole within half a minute" };
  return { status: BAD_REQUEST, detail: "the request must be one of HTTP/1.1" };
}

/** An answer as bytes, for a connection that nothing was said on yet. */
export function written({ status, headers, body }: TurnedAway): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`;
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [head, ...lines, length, "", body].join("\r\n");
}
