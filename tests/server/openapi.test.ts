// The API's description, and what comes of asking all that it describes.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCESS, type RouteName } from "../../src/server/auth/access.ts";
import { placeOf, type OpenApiDocument } from "../../src/server/route/description.ts";
import { serveFleet, type ServedFleet } from "./rig.ts";

let served: ServedFleet;
let operator: string;
let document: OpenApiDocument;

beforeAll(async () => {
  served = await serveFleet();
  operator = await served.token("operator", { lifetime_ms: 3_600_000 });
  document = (await (await served.ask("/v1/openapi.json")).json()) as OpenApiDocument;
});
afterAll(() => served.close());

test("[HA17] every route is described, with the roles that the guard asks for", () => {
  expect(document.openapi).toBe("3.1.0");
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => [
      `${method.toUpperCase()} ${path}`,
      security.flatMap((one) => one["token"] ?? []),
    ]),
  );
  const table = Object.entries(ACCESS).map(([name, roles]) => [
    name,
    roles === "anybody" ? [] : [...roles],
  ]);
  expect(new Map(described as [string, string[]][])).toEqual(
    new Map(table as [string, string[]][]),
  );
});

test("[HA17] every operation has a name of its own, and the headers that it reads", async () => {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ path, method, one })),
  );
  const names = all.map(({ one }) => one.operationId);
  expect(new Set(names).size).toBe(names.length);
  const reads = (header: string): readonly string[] =>
    all
      .filter(({ one }) =>
        one.parameters?.some((given) => given.in === "header" && given.name === header),
      )
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(reads("Last-Event-ID")).toEqual(["GET /v1/events"]);
  const changes = Object.entries(ACCESS).filter(
    ([name, roles]) => !name.startsWith("GET") && roles !== "anybody",
  );
  expect(new Set(reads("Idempotency-Key"))).toEqual(new Set(changes.map(([name]) => name)));
  const tagged = all.filter(({ one }) => one.responses["304"] !== undefined);
  expect(tagged.length).toBeGreaterThan(4);
  const started = await served.opened.fleet.start({ name: "tagged" });
  const { id } = await started.acquire({ region: ["tagged/**"], ttlMs: 60_000 });
  for (const { path } of tagged) {
    const asked = path.replace("{id}", id);
    const first = await served.ask(asked, { token: operator });
    const headers = { "If-None-Match": first.headers.get("ETag") ?? "" };
    const { status } = await served.ask(asked, { token: operator, headers });
    expect({ path, status }).toEqual({ path, status: 304 });
  }
});

test("[HA17] every reference leads to a schema, and each no is a problem", () => {
  const text = JSON.stringify(document);
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name ?? "",
  );
  expect(names.filter((name) => !(name in document.components.schemas))).toEqual([]);
  for (const methods of Object.values(document.paths))
    for (const { responses } of Object.values(methods))
      expect(Object.keys(responses["default"]?.content ?? {})).toEqual([
        "application/problem+json",
      ]);
});

test("[HA17] the page that is to be read has every route and every code", async () => {
  const html = await (await served.ask("/v1/docs")).text();
  for (const name of Object.keys(ACCESS)) expect(html).toContain(`<code>${name}</code>`);
  expect(html).toContain('id="worker_unknown"');
});

/** What would end the fleet, the token, or the test. */
const LEFT_OUT: ReadonlySet<string> = new Set<RouteName>([
  "GET /v1/events",
  "DELETE /v1/session",
  "DELETE /v1/tokens/{id}",
]);

const odd = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "-1",
    "1e9",
    "NaN",
    "null",
    "true",
    "..",
    "../x",
    "%00",
    "%2e%2e",
    "w-a",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.integer().map(String),
);

/** Values around what a schema wants, and some that have nothing to do with it. */
function valuesOf(schema: object, depth = 0): fc.Arbitrary<unknown> {
  const {
    type,
    properties,
    items,
    enum: words,
  } = schema as {
    readonly type?: string;
    readonly properties?: Readonly<Record<string, object>>;
    readonly items?: object;
    readonly enum?: readonly unknown[];
  };
  const wild = fc.jsonValue({ maxDepth: 2 });
  if (words !== undefined) return fc.oneof(fc.constantFrom(...words), wild);
  if (type === "object" && properties !== undefined && depth < 4) {
    const parts = Object.entries(properties).map(([name, one]) => [name, valuesOf(one, depth + 1)]);
    return fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record(Object.fromEntries(parts) as object, { requiredKeys: [] }),
      },
      { weight: 1, arbitrary: wild },
    );
  }
  if (type === "array") return fc.oneof(fc.array(valuesOf(items ?? {}, depth + 1)), wild);
  if (type === "integer" || type === "number")
    return fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1e308, 2 ** 53), wild);
  if (type === "string") return fc.oneof(fc.string({ unit: "binary" }), odd, wild);
  if (type === "boolean") return fc.oneof(fc.boolean(), wild);
  return wild;
}

test.each(Object.keys(ACCESS).filter((name) => !LEFT_OUT.has(name)) as RouteName[])(
  "[HA18] whatever %s is asked, the fault is never the server's",
  async (name) => {
    const { method, path } = placeOf(name);
    const operation = document.paths[path]?.[method.toLowerCase()];
    const body = operation?.requestBody?.content["application/json"]?.schema;
    const queries = (operation?.parameters ?? []).filter((one) => one.in === "query");
    await fc.assert(
      fc.asyncProperty(
        fc.record(Object.fromEntries(queries.map((one) => [one.name, odd])), { requiredKeys: [] }),
        odd,
        body === undefined ? fc.constant(undefined) : valuesOf(body),
        async (query, id, given) => {
          const search = new URLSearchParams(query as Record<string, string>).toString();
          const filled = path.replaceAll(/\{\w+\}/g, encodeURIComponent(id.toWellFormed()) || "x");
          const asking = { method, token: operator, ...(body ? { body: given ?? null } : {}) };
          const response = await served.ask(`${filled}?${search}`, asking);
          const text = await response.text();
          expect({ name, status: response.status, text }).toMatchObject({
            status: response.status < 500 ? response.status : "below 500",
          });
        },
      ),
      { numRuns: 25 },
    );
  },
  120_000,
);
