// Who may use which route: every role on every route, by the one table.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TOKEN_ROLES } from "../../src/kernel/access/token.ts";
import { ACCESS, admittedTo, type RouteName } from "../../src/server/auth/access.ts";
import { placeOf } from "../../src/server/route/description.ts";
import { serveFleet, type ServedFleet } from "./rig.ts";

const NAMES = Object.keys(ACCESS) as readonly RouteName[];

let served: ServedFleet;
let worker: string;

async function begin(): Promise<void> {
  served = await serveFleet();
  const started = await served.opened.fleet.start({ name: "one" });
  worker = started.id;
}

function tokenOf(role: (typeof TOKEN_ROLES)[number]): Promise<string> {
  return served.token(role, role === "worker" ? { worker } : {});
}

/** Asks a route without anything being done: a body of another form is turned away later. */
async function knock(name: RouteName, token: string | undefined): Promise<Response> {
  const { method, path } = placeOf(name);
  const filled = path.replace("{id}", worker).replace("{seq}", "1");
  const headers = method === "POST" ? { "Content-Type": "text/plain" } : {};
  const signal = AbortSignal.timeout(60_000);
  const response = await served.ask(filled, { method, token, headers, signal });
  await response.body?.cancel();
  return response;
}

const UNSUPPORTED_MEDIA_TYPE = 415;

describe("the table", () => {
  beforeAll(begin);
  afterAll(() => served.close());

  describe.each(NAMES)("%s", (name) => {
    const admitted = admittedTo(name);
    const isOpen = admitted === "anybody";

    test.each(TOKEN_ROLES)("[TH1] is answered to the role %s as the table has it", async (role) => {
      const { status } = await knock(name, await tokenOf(role));
      const may = isOpen || admitted.includes(role);
      const isPassed = status !== 401 && status !== 403;
      expect({ may: isPassed, status }).toEqual({ may, status });
      const isPost = name.startsWith("POST");
      expect(may && isPost ? status : UNSUPPORTED_MEDIA_TYPE).toBe(UNSUPPORTED_MEDIA_TYPE);
    });

    test("[TH2] is answered to nobody without a token, unless anybody may", async () => {
      for (const token of [undefined, "stint_x", `stint_${"A".repeat(43)}`]) {
        const { status } = await knock(name, token);
        // Here so many are shown that some are told to wait.
        expect(status === 401 || status === 429).toBe(!isOpen);
      }
    });
  });
});

// Each on a server of its own, which has met no failures yet.
describe("a token", () => {
  beforeEach(begin);
  afterEach(() => served.close());

  test("[TH3] revoked, expired, or another fleet's, it opens nothing", async () => {
    const other = await serveFleet();
    try {
      const foreign = await other.token("operator");
      expect((await served.ask("/v1/fleet", { token: foreign })).status).toBe(401);
    } finally {
      await other.close();
    }
    const short = await served.token("viewer", { lifetime_ms: 1_000 });
    expect((await served.ask("/v1/fleet", { token: short })).status).toBe(200);
    await expect
      .poll(async () => (await served.ask("/v1/fleet", { token: short })).status, {
        timeout: 30_000,
      })
      .toBe(401);
    const gone = await served.token("viewer");
    const { token } = (await (await served.ask("/v1/session", { token: gone })).json()) as {
      token: { token: string };
    };
    const operator = await served.token("operator");
    const path = `/v1/tokens/${token.token}`;
    expect((await served.ask(path, { method: "DELETE", token: operator })).status).toBe(200);
    expect((await served.ask("/v1/fleet", { token: gone })).status).toBe(401);
  });

  test("[TH4] as a login code it is good once, for a session of its role", async () => {
    const url = await served.server.loginUrl("viewer");
    const code = url.slice(url.indexOf("#login=") + "#login=".length);
    // Only in the fragment, which a browser sends to nobody.
    expect(new URL(url).search).toBe("");
    expect((await served.ask("/v1/fleet", { token: code })).status).toBe(401);
    const body = { code };
    const first = await served.ask("/v1/login", { method: "POST", body });
    expect(first.status).toBe(200);
    expect(first.headers.get("Set-Cookie")).toBeNull();
    const { secret, role } = (await first.json()) as { secret: string; role: string };
    expect(role).toBe("viewer");
    expect((await served.ask("/v1/fleet", { token: secret })).status).toBe(200);
    const again = await served.ask("/v1/login", { method: "POST", body });
    expect(again.status).toBe(401);
    const plain = await served.token("viewer");
    const asCode = await served.ask("/v1/login", { method: "POST", body: { code: plain } });
    expect(asCode.status).toBe(401);
    expect((await served.ask("/v1/session", { method: "DELETE", token: secret })).status).toBe(200);
    expect((await served.ask("/v1/fleet", { token: secret })).status).toBe(401);
  });

  test("[TH4] of many who exchange one code at once, one gets a session", async () => {
    const url = await served.server.loginUrl("viewer");
    const code = url.slice(url.indexOf("#login=") + "#login=".length);
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = await served.ask("/v1/login", { method: "POST", body: { code } });
        return answer.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  test("[TH5] no secret and no hash of one is shown or logged", async () => {
    const operator = await served.token("operator");
    const issued = await served.ask("/v1/tokens", {
      method: "POST",
      token: operator,
      body: { role: "viewer", lifetime_ms: 5_000 },
    });
    const { secret } = (await issued.json()) as { secret: string };
    const listed = await (await served.ask("/v1/tokens", { token: operator })).text();
    expect(listed).not.toMatch(/hash/);
    const told = JSON.stringify(served.log.lines);
    for (const one of [secret, operator]) {
      expect(listed).not.toContain(one);
      expect(told).not.toContain(one);
    }
  });

  test("[TH6] a worker's token shows that worker and those below it, and no other", async () => {
    const other = await served.opened.fleet.start({ name: "other" });
    const token = await tokenOf("worker");
    expect((await served.ask(`/v1/workers/${worker}`, { token })).status).toBe(200);
    for (const path of [`/v1/workers/${other.id}`, "/v1/workers/other", "/v1/workers/w-none"])
      expect((await served.ask(path, { token })).status).toBe(404);
    const beat = { method: "POST", token, body: {} };
    expect((await served.ask(`/v1/workers/${other.id}/beat`, beat)).status).toBe(404);
  });

  test("[TH6] a worker's token shows no leases of others, not on a lane either", async () => {
    const { fleet, member } = served.opened;
    const other = await fleet.start({ name: "other" });
    const lanes = [{ name: "api", region: ["src/**"] }];
    const data = { lanes, worktrees: "one_ground", require: false } as const;
    await fleet.submit({ kind: "lanes.enact", data });
    await other.acquire({ lane: "api", ttlMs: 60_000 });
    const token = await tokenOf("worker");
    const listed = await (await served.ask("/v1/leases", { token })).json();
    expect(listed).toMatchObject({ items: [] });
    const viewer = await served.token("viewer");
    const all = await (await served.ask("/v1/leases", { token: viewer })).json();
    expect(all).toMatchObject({ items: [{ holder: other.id }] });
    const onLanes = async (by: string): Promise<string> =>
      (await served.ask("/v1/lanes", { token: by })).text();
    const [id] = [...member.seat.loop.state().book.leases.keys()];
    expect((await served.ask(`/v1/leases/${id}`, { token: viewer })).status).toBe(200);
    expect((await served.ask(`/v1/leases/${id}`, { token })).status).toBe(404);
    expect(await onLanes(viewer)).toContain(id);
    expect(await onLanes(token)).toContain('"api"');
    expect(await onLanes(token)).not.toContain(id);
  });

  test("[TH6] a worker's token shows nothing above it, and beats for no worker below", async () => {
    const { fleet, member } = served.opened;
    const parent = await fleet.start({ name: "parent" });
    const child = await fleet.start({ name: "child", parent: parent.id });
    const below = await fleet.start({ name: "below", parent: child.id });
    const token = await served.token("worker", { worker: child.id });
    const line = async (id: string, by: string): Promise<readonly string[]> => {
      const answer = await served.ask(`/v1/workers/${id}/lineage`, { token: by });
      const { workers } = (await answer.json()) as { workers: readonly { id: string }[] };
      return workers.map((one) => one.id);
    };
    expect(await line(child.id, token)).toEqual([child.id]);
    expect(await line(below.id, token)).toEqual([below.id, child.id]);
    const viewer = await served.token("viewer");
    expect(await line(below.id, viewer)).toEqual([below.id, child.id, parent.id]);
    const beat = { method: "POST", token, body: {} };
    expect((await served.ask(`/v1/workers/${child.id}/beat`, beat)).status).toBe(200);
    const { seq } = member.seat.loop.head();
    for (const id of [below.id, parent.id, "w-none"])
      expect((await served.ask(`/v1/workers/${id}/beat`, beat)).status).toBe(404);
    // What it may not ask leaves nothing on record in another's name.
    expect(member.seat.loop.head().seq).toBe(seq);
  });

  test("[TH7] a service's beats for its own name, whatever they say (health 5)", async () => {
    const token = await served.token("service", { service: "collector" });
    const beats = [{ name: "api", instance: "a" }];
    const answer = await served.ask("/v1/beats", { method: "POST", token, body: { beats } });
    expect(answer.status).toBe(200);
    expect(served.played.beats.at(-1)).toEqual({ list: beats, as: { service: "collector" } });
  });

  test("[TH8] who tries too many login codes is slowed down", async () => {
    const statuses = new Set<number>();
    for (let tries = 0; tries < 40; tries += 1) {
      const body = { code: `stint_${tries}` };
      statuses.add((await served.ask("/v1/login", { method: "POST", body })).status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
  });

  test("[HA9] who asks too much without a token has to wait, and who has one has not", async () => {
    const statuses = new Set<number>();
    await Promise.all(
      Array.from({ length: 400 }, async () =>
        statuses.add((await served.ask("/v1/health")).status),
      ),
    );
    expect(statuses).toEqual(new Set([200, 429]));
    const token = await served.token("viewer");
    expect((await served.ask("/v1/fleet", { token })).status).toBe(200);
  });

  test("[TH4] a login code is good for a minute, and a session for 12 hours", async () => {
    const { seat } = served.opened.member;
    const url = await served.server.loginUrl("viewer");
    const codes = [...seat.loop.state().access.values()].filter(({ once }) => once === true);
    expect(codes.map((one) => one.expires_at_ms - one.issued_at_ms)).toEqual([60_000]);
    const body = { code: url.slice(url.indexOf("#login=") + "#login=".length) };
    const answer = await served.ask("/v1/login", { method: "POST", body });
    const { token } = (await answer.json()) as { readonly token: string };
    const session = seat.loop.state().access.get(token);
    expect((session?.expires_at_ms ?? 0) - (session?.issued_at_ms ?? 0)).toBe(12 * 3_600_000);
  });

  test("[TH8] who shows too many that are none is slowed down, and nobody else", async () => {
    const good = await served.token("viewer");
    const statuses = new Set<number>();
    for (let tries = 0; tries < 60; tries += 1)
      statuses.add((await served.ask("/v1/fleet", { token: `stint_${tries}` })).status);
    expect(statuses).toEqual(new Set([401, 429]));
    expect((await served.ask("/v1/fleet", { token: good })).status).toBe(200);
  });
});
