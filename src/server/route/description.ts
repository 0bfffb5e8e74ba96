import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { problemSchema } from "../../protocol/document/schema/problem.ts";
import { admittedTo, type RouteName } from "../auth/access.ts";
import type { Route } from "./route.ts";

/** The name of the security scheme in the description. */
const SCHEME = "token";

const TITLE = "Stint";

type Registry = OpenAPIHono["openAPIRegistry"];
type Described = Parameters<Registry["registerPath"]>[0];
type Responses = Described["responses"];

/** The API as an OpenAPI 3.1 document: made of the schemas and the roles that are enforced. */
export function describeRoutes(routes: readonly Route[], version: string): OpenApiDocument {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", SCHEME, {
    type: "http",
    scheme: "bearer",
    description: "A token of `stint token issue`, or of a login. Its role must be one of those.",
  });
  for (const route of routes) app.openAPIRegistry.registerPath(describe(route));
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: TITLE,
      version,
      description:
        "A fleet of workers: who may exist, what each may touch, who is alive, and how to stop " +
        "any or all of them. Times are ms since 1970, durations end in their unit. Every no is a " +
        "problem (RFC 9457) with a permanent `code`.",
    },
    servers: [{ url: "/" }],
  });
  return document as unknown as OpenApiDocument;
}

/** As much of such a document as is read here. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** An operation of such a document. */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** A parameter of such an operation. */
export interface OpenApiParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: { readonly type?: string; readonly description?: string };
}

/** A route's method and path. */
export function placeOf(name: RouteName): { readonly method: string; readonly path: string } {
  const [method = "", path = ""] = name.split(" ");
  return { method, path };
}

function describe(route: Route): Described {
  const { name, tag, summary, details, params, query, body } = route;
  const { method, path } = placeOf(name);
  const admitted = admittedTo(name);
  const headers = headersOf(route);
  const request = {
    ...(headers === undefined ? {} : { headers }),
    ...(params === undefined ? {} : { params: params as z.ZodObject }),
    ...(query === undefined ? {} : { query: query as z.ZodObject }),
    ...(body === undefined
      ? {}
      : { body: { required: true, content: { "application/json": { schema: body } } } }),
  };
  return createRoute({
    method: method.toLowerCase() as "get",
    path,
    operationId: operationOf(method, path),
    tags: [tag],
    summary,
    ...(details === undefined ? {} : { description: details }),
    // Of a scheme that is no OAuth the list names the roles, one of which is needed.
    security: admitted === "anybody" ? [] : [{ [SCHEME]: [...admitted] }],
    request,
    responses: responsesOf(route),
  });
}

/** The headers that a route reads, none of which it demands. */
function headersOf({ name, headers = {}, isTagged }: Route): z.ZodObject | undefined {
  const isChange = !name.startsWith("GET ") && admittedTo(name) !== "anybody";
  const said = {
    ...headers,
    ...(isTagged === true ? { "If-None-Match": "the tag (ETag) of the answer that is known" } : {}),
    ...(isChange ? { "Idempotency-Key": "what is asked again under it is done once" } : {}),
  };
  const shape = Object.entries(said).map(([header, description]) => [
    header,
    z.string().optional().meta({ description }),
  ]);
  return shape.length === 0 ? undefined : z.object(Object.fromEntries(shape) as z.ZodRawShape);
}

function responsesOf({ answer, isTagged }: Route): Responses {
  const content =
    answer.kind === "json"
      ? { "application/json": { schema: answer.schema } }
      : { [answer.type.split(";")[0] ?? answer.type]: { schema: { type: "string" as const } } };
  const problem = { "application/problem+json": { schema: problemSchema } };
  return {
    200: { description: answer.says, content },
    ...(isTagged === true ? { 304: { description: "nothing has changed since" } } : {}),
    default: { description: "a no of any kind", content: problem },
  };
}

/** `GET /v1/workers/{id}` → `get_workers_id`; `GET /metrics` → `get_unversioned_metrics`. */
function operationOf(method: string, path: string): string {
  const isVersioned = path.startsWith("/v1/");
  const found = path.replace(/^\/v1/, "").match(/[a-z]+/g) ?? ["home"];
  const words = isVersioned ? found : ["unversioned", ...found];
  return [method.toLowerCase(), ...words].join("_");
}
