import type { z } from "zod";
import type { Caller } from "../auth/caller.ts";
import type { RouteName } from "../auth/access.ts";

/** What a route answers with when it says yes. */
export type Answer =
  | { readonly kind: "json"; readonly schema: z.ZodType; readonly says: string }
  | { readonly kind: "text"; readonly type: string; readonly says: string };

/** A request as its route's handler sees it: all of it is checked. */
export interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Undefined on the routes that are anybody's. */
  readonly caller: Caller | undefined;
  /** The id for the one command that the request gives, where its sender has said a key. */
  readonly commandId: string | undefined;
  readonly request: Request;
  /** The address that it came from; for limits alone. */
  readonly address: string;
}

/** A route: what it takes, what it answers, and how it is described. */
export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly name: RouteName;
  /** The group that it is listed under. */
  readonly tag: string;
  /** What it does, as an order: `Pause the fleet`. */
  readonly summary: string;
  readonly details?: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  readonly answer: Answer;
  /** Whether its answer has a tag, by which who has the newest is answered 304. */
  readonly isTagged?: true;
  /** What it reads of the headers besides what every route reads, with what each says. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether limits on how many requests are taken leave it out: a kill is never too much. */
  readonly isUrgent?: true;
  readonly handle: (asked: Asked<P, Q, B>) => Promise<Response> | Response;
}

/** Writes down a route, so that its handler is typed by its schemas. */
export function route<P = undefined, Q = undefined, B = undefined>(so: Route<P, Q, B>): Route {
  // Whoever calls the handler has parsed what it is given by these very schemas.
  return so as unknown as Route;
}

/** An answer in JSON of a schema. */
export function json(schema: z.ZodType, says: string): Answer {
  return { kind: "json", schema, says };
}
