// What the routes answer: by their schemas, whole, tagged, and the same on all servers.
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeApp, type App } from "../../src/server/app.ts";
import { BusLink } from "../../src/server/bus-link.ts";
import { ACCESS } from "../../src/server/auth/access.ts";
import { placeOf } from "../../src/server/route/description.ts";
import { serveFleet, type ServedFleet } from "./rig.ts";

let served: ServedFleet;
let viewer: string;
let app: App;
let ids: readonly string[];

beforeAll(async () => {
  served = await serveFleet({ contract: { maxReplicas: 50 } });
  const { fleet, member } = served.opened;
  const started = await Promise.all(
    Array.from({ length: 12 }, (_, index) => fleet.start({ name: index < 4 ? "four" : "more" })),
  );
  ids = started.map(({ id }) => id).toSorted();
  await fleet.stop(ids[0] ?? "", { reason: "for the record" });
  await fleet.acquire({ region: ["src/**"], holder: "ada" });
  viewer = await served.token("viewer");
  const bus = new BusLink({ door: undefined, isWanted: () => false, log: served.log });
  const world = { fleet, member, bus, log: served.log, version: "0.0.0" };
  app = makeApp({ world, hostNames: [], isTls: false });
});
afterAll(async () => {
  app.close();
  await served.close();
});

test.each(
  Object.keys(ACCESS).filter((name) => name.startsWith("GET") && name !== "GET /v1/events"),
)("[HA11] %s answers what it is described to answer", async (name) => {
  const route = app.routes.find((one) => one.name === name);
  const [ended, live] = ids;
  const paths = [ended, live].map((id) =>
    placeOf(route?.name ?? "GET /")
      .path.replace("/leases/{id}", "/leases/l-none")
      .replace("{id}", id ?? "")
      .replace("{seq}", "1"),
  );
  for (const path of new Set(paths)) {
    const token = name.includes("tokens") ? await served.token("operator") : viewer;
    const response = await served.ask(path, { token });
    expect([200, 404]).toContain(response.status);
    expect(path.includes("l-none") ? 404 : 200).toBe(response.status);
    const answer = response.status === 200 ? route?.answer : undefined;
    const text = await response.text();
    const parsed =
      answer?.kind === "json" ? answer.schema.safeParse(JSON.parse(text)) : { error: undefined };
    expect(parsed.error).toBeUndefined();
    expect(text).not.toBe("");
  }
});

test("[HA12] a list is read in parts, each worker once, in order", async () => {
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const place: string = after === null ? "" : `&after=${after}`;
    const page = (await (
      await served.ask(`/v1/workers?limit=3${place}`, { token: viewer })
    ).json()) as { items: { id: string }[]; next: string | null };
    expect(page.items.length).toBeLessThanOrEqual(3);
    seen.push(...page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  expect(seen).toEqual(ids.slice(1));
});

test("[HA12] filters leave out what they say", async () => {
  const ask = async (query: string): Promise<number> => {
    const response = await served.ask(`/v1/workers?${query}`, { token: viewer });
    return ((await response.json()) as { items: unknown[] }).items.length;
  };
  const four = [...ids].slice(1).length;
  expect((await ask("name=four")) + (await ask("name=more"))).toBe(four);
  expect(await ask("status=running")).toBe(four);
  expect(await ask("status=stopping")).toBe(0);
  expect(await ask("stale=true")).toBe(0);
});

test("[HA13] who has the newest answer is told so, and any entry makes another", async () => {
  const first = await served.ask("/v1/workers", { token: viewer });
  const tag = first.headers.get("ETag") ?? "";
  await first.text();
  const headers = { "If-None-Match": tag };
  const same = await served.ask("/v1/workers", { token: viewer, headers });
  expect([same.status, await same.text()]).toEqual([304, ""]);
  const weak = { "If-None-Match": `"x", W/${tag}` };
  expect((await served.ask("/v1/workers", { token: viewer, headers: weak })).status).toBe(304);
  // Another question has another tag.
  const other = await served.ask("/v1/workers?limit=1", { token: viewer, headers });
  expect(other.status).toBe(200);
  await other.text();
  await served.opened.fleet.note(ids[1] ?? "", "an entry");
  const later = await served.ask("/v1/workers", { token: viewer, headers });
  expect(later.status).toBe(200);
  expect(later.headers.get("ETag")).not.toBe(tag);
});

test("[HA14] two servers on one fleet agree: each sees what the other did", async () => {
  const { store } = served.opened.member.seat;
  const second = await serveFleet({ store: { kind: "memory", open: async () => store } });
  try {
    const operator = await served.token("operator");
    const order = { method: "POST", token: operator, body: { reason: "here" } };
    for (const [one, other] of [
      [served, second],
      [second, served],
    ] as const) {
      expect((await one.ask("/v1/pause", order)).status).toBe(200);
      const [here, there] = await Promise.all(
        [one, other].map((server) => server.ask("/v1/fleet", { token: viewer })),
      );
      expect(await there?.text()).toBe(await here?.text());
      expect(there?.headers.get("ETag")).toBe(here?.headers.get("ETag"));
      expect((await other.ask("/v1/resume", order)).status).toBe(200);
    }
  } finally {
    await second.close();
  }
});

test("[HA15] a stop says first who would end, and then proves that they did", async () => {
  const operator = await served.token("operator");
  const named = { workers: [ids[2]], reason: "enough" };
  const asking = { method: "POST", token: operator, body: named };
  const { seq } = served.opened.member.seat.loop.head();
  const radius = (await (await served.ask("/v1/stop?dry_run=true", asking)).json()) as object;
  expect(radius).toMatchObject({ doomed: [{ id: ids[2], because: "named" }] });
  expect(served.opened.member.seat.loop.head().seq).toBe(seq);
  const receipt = (await (await served.ask("/v1/stop", asking)).json()) as object;
  expect(receipt).toMatchObject({ order: "stop", stopped_count: 1, survivor_count: 0 });
  const again = await served.ask("/v1/stop", asking);
  expect(((await again.json()) as { code: string }).code).toBe("worker_ended");
});

test("[HA16] the server's own numbers are by route and not by path", async () => {
  await served.ask("/v1/nowhere/secret", { token: viewer });
  const text = await (await served.ask("/metrics", { token: viewer })).text();
  expect(text).toMatch(/^stint_http_requests_total\{route="none",method="GET",status="404"\} \d/m);
  expect(text).toMatch(/^stint_workers\{status="running"\} \d+$/m);
  expect(text).not.toContain("secret");
});
