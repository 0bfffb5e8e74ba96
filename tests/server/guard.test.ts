// What the server turns away before any route is asked.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProblemDocument } from "../../src/protocol/document/problem.ts";
import { problemSchema } from "../../src/protocol/document/schema/problem.ts";
import { PROBLEMS } from "../../src/protocol/problem.ts";
import { Rates } from "../../src/server/guard/rate.ts";
import { serveFleet, type Asking, type ServedFleet } from "./rig.ts";

let served: ServedFleet;
let operator: string;

beforeAll(async () => {
  served = await serveFleet({ hostNames: ["stint.example"] });
  operator = await served.token("operator");
});
afterAll(() => served.close());

/** Sends bytes as they are: a client of ours would not send them. */
async function raw(text: string): Promise<string> {
  const socket = connect(served.server.port, "127.0.0.1");
  socket.write(text);
  let answer = "";
  for await (const piece of socket) answer += String(piece);
  return answer;
}

function rawGet(path: string, headers: readonly string[]): Promise<string> {
  return raw([`GET ${path} HTTP/1.1`, "Connection: close", ...headers, "", ""].join("\r\n"));
}

async function problemOf(path: string, asking: Asking): Promise<ProblemDocument> {
  const response = await served.ask(path, asking);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  const problem = (await response.json()) as ProblemDocument;
  expect(problemSchema.safeParse(problem).error).toBeUndefined();
  expect(problem.status).toBe(response.status);
  return problem;
}

test.each([
  ["evil.example"],
  ["evil.example:7070"],
  ["127.0.0.1.evil.example"],
  ["localhost.evil.example"],
  ["127.0.0.1@evil.example"],
  ["localhost/x"],
  ["stint.example.evil"],
])("[HA1] what names the host %s is turned away", async (host) => {
  const answer = await rawGet("/v1/fleet", [`Host: ${host}`, `Authorization: Bearer ${operator}`]);
  // What no URL can be made of is turned away sooner.
  expect(answer).toMatch(/^HTTP\/1\.1 (421|400) /);
  expect(answer).not.toContain('"fleet"');
});

test("[HA1] a target that names another host than the header is turned away", async () => {
  const token = `Authorization: Bearer ${operator}`;
  const other = await rawGet("http://evil.example/v1/fleet", ["Host: localhost", token]);
  expect(other).toMatch(/^HTTP\/1\.1 421 /);
  const own = await rawGet("http://localhost/v1/fleet", ["Host: localhost", token]);
  expect(own).toMatch(/^HTTP\/1\.1 200 /);
});

test.each([["127.0.0.1"], ["localhost:1"], ["[::1]:7070"], ["10.1.2.3"], ["STINT.example"]])(
  "[HA1] what names the host %s is answered",
  async (host) => {
    const token = `Authorization: Bearer ${operator}`;
    expect(await rawGet("/v1/fleet", [`Host: ${host}`, token])).toMatch(/^HTTP\/1\.1 200 /);
  },
);

test.each([["http://evil.example"], ["null"], ["http://127.0.0.1:1"], ["https://127.0.0.1"]])(
  "[HA2] a page of the origin %s is answered nothing",
  async (origin) => {
    const asking = { token: operator, headers: { Origin: origin } };
    expect((await problemOf("/v1/fleet", asking)).code).toBe("not_authorised");
  },
);

test("[HA2] the server's own page is answered, and no header lets others in", async () => {
  const headers = { Origin: served.server.url };
  const response = await served.ask("/v1/fleet", { token: operator, headers });
  expect(response.status).toBe(200);
  expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
});

test("[HA3] headers beyond 16 KiB are turned away", async () => {
  const answer = await rawGet("/", ["Host: localhost", `X-Much: ${"x".repeat(20_000)}`]);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
});

test("[HA3] a body beyond 1 MiB is turned away, said beforehand or not", async () => {
  const body = JSON.stringify({ reason: "x".repeat(2 ** 20) });
  const asking = { method: "POST", token: operator };
  expect((await problemOf("/v1/pause", { ...asking, body })).code).toBe("limit_exceeded");
  const piece = `${(2 ** 16).toString(16)}\r\n${"x".repeat(2 ** 16)}\r\n`;
  const head =
    "POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    `Authorization: Bearer ${operator}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
  expect(await raw(`${head}${piece.repeat(17)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
});

test("[HA3] a request that is answered unread leaves its connection to the next one", async () => {
  const socket = connect(served.server.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (piece) => {
    answer += String(piece);
  });
  const head = (path: string, more: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operator}\r\n${more}\r\n`;
  // Its query is no good, so that its body is not looked at; and that comes late.
  const typed = "Content-Type: application/json\r\nContent-Length: 2\r\n";
  socket.write(head("/v1/pause?x=1", typed));
  await expect.poll(() => answer).toMatch(/ 400 /);
  socket.write("{}");
  // Longer than what never ends is waited for.
  await new Promise((resolve) => {
    setTimeout(resolve, 1_500);
  });
  answer = "";
  socket.write(head("/v1/nowhere", "Content-Length: 0\r\n"));
  await expect.poll(() => answer).toMatch(/ 404 /);
  socket.destroy();
});

test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])(
  "[HA4] a body as %j is turned away: a form of another page can send it",
  async (type) => {
    const headers = { "Content-Type": type };
    const asking = { method: "POST", token: operator, body: '{"reason":"x"}', headers };
    expect((await problemOf("/v1/pause", asking)).status).toBe(415);
    expect(served.opened.fleet.status).toBe("open");
  },
);

test.each(["{", "", "[1", '{"reason":"\\uD800"}', "null", "7", '{"__proto__":1,"reason":"x"}'])(
  "[HA4] the body %j is named as what it is, and nothing is done",
  async (body) => {
    const asking = { method: "POST", token: operator, body };
    expect((await problemOf("/v1/pause", asking)).status).toBe(400);
    expect(served.opened.fleet.status).toBe("open");
  },
);

test.each([50_000, 65])("[HA4] a body of %i levels is turned away as too deep", async (levels) => {
  for (const body of [
    "[".repeat(levels) + "]".repeat(levels),
    `{"reason":${'{"a":'.repeat(levels)}1${"}".repeat(levels)}}`,
  ])
    expect((await problemOf("/v1/pause", { method: "POST", token: operator, body })).code).toBe(
      "limit_exceeded",
    );
  const contract = `{"contract":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  const asking = { method: "POST", token: operator, body: contract };
  expect((await problemOf("/v1/contract", asking)).code).toBe("limit_exceeded");
});

test.each([
  "/v1/workers/..%2f..%2fetc%2fpasswd",
  "/v1/workers/%00",
  "/v1/workers/%zz",
  "/v1/workers/%ff",
  "/v1/%2e%2e/v1/nothing",
  "/v1/nothing",
  "//evil.example/v1/fleet",
  "/v1/journal/0",
  "/v1/journal/1e3",
  "/v1/journal/99999999999999999999",
  "/v1/workers?limit=0",
  "/v1/workers?limit=1&limit=2",
  "/v1/workers?nonsense=1",
  `/v1/workers/${"x".repeat(4_000)}`,
])("[HA5] the path %s is answered by a problem that is the asker's", async (path) => {
  const answer = await rawGet(path, ["Host: localhost", `Authorization: Bearer ${operator}`]);
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
});

test("[HA5] another method is told which there are", async () => {
  const response = await served.ask("/v1/fleet", { method: "PUT", token: operator, body: {} });
  expect(response.status).toBe(405);
  expect(response.headers.get("Allow")).toBe("GET");
});

test("[HA6] every no is a problem with the status and the title of its code", async () => {
  const problem = await problemOf("/v1/workers/w-none", { token: operator });
  const { http, meaning } = PROBLEMS.worker_unknown;
  expect(problem).toMatchObject({ code: "worker_unknown", status: http, title: meaning });
  expect(problem.detail).not.toBe("");
  expect(typeof problem.seq).toBe("number");
});

test("[HA7] a request that is given again under its key is done once", async () => {
  const keyed = {
    method: "POST",
    token: operator,
    body: { role: "viewer", lifetime_ms: 60_000 },
    headers: { "Idempotency-Key": "once" },
  };
  const [first, second] = await Promise.all([
    served.ask("/v1/tokens", keyed),
    served.ask("/v1/tokens", keyed),
  ]);
  expect(await second.json()).toEqual(await first.json());
  const other = { ...keyed, body: { role: "viewer", lifetime_ms: 70_000 } };
  expect((await problemOf("/v1/tokens", other)).code).toBe("command_mismatch");
  // Another's key is another key.
  const another = await served.token("operator");
  expect((await served.ask("/v1/tokens", { ...other, token: another })).status).toBe(200);
});

test("[HA7] another server on the fleet does not do it again either", async () => {
  const { opened } = served;
  const asking = { method: "POST", token: operator, headers: { "Idempotency-Key": "paused" } };
  const before = opened.member.seat.loop.head().seq;
  const pause = { ...asking, body: { reason: "once" } };
  const first = (await (await served.ask("/v1/pause", pause)).json()) as { seq: number };
  await served.ask("/v1/resume", { method: "POST", token: operator, body: { reason: "on" } });
  const second = await serveAgain();
  try {
    const again = (await (await second.ask("/v1/pause", pause)).json()) as { seq: number };
    expect(again.seq).toBe(first.seq);
    expect(first.seq).toBeGreaterThan(before);
    expect((await opened.member.seat.loop.look()).status).toBe("open");
  } finally {
    await second.close();
  }
});

/** Another server on the same fleet, which has met no request yet. */
function serveAgain(): Promise<ServedFleet> {
  const { store } = served.opened.member.seat;
  return serveFleet({ store: { kind: "memory", open: async () => store } });
}

test("[HA8] every answer forbids to be framed, guessed at or scripted from elsewhere", async () => {
  for (const path of ["/", "/v1/docs", "/v1/fleet", "/nowhere"]) {
    const { headers } = await served.ask(path, { token: operator });
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
  }
});

test("[HA8] no page has a script in it, or asks anything of another host", async () => {
  for (const path of ["/", "/v1/docs"]) {
    const html = await (await served.ask(path)).text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc="\/)/);
    expect(html).not.toMatch(/\son[a-z]+=|\sstyle=|<style|javascript:/i);
    expect(html.match(/(?:src|href)="(?!\/|#)[^"]*"/g)).toBeNull();
  }
});

test("[HA9] a side that asks too much waits, and others do not", () => {
  let nowMs = 0;
  const rates = new Rates({ perSecond: 10, burst: 2 }, () => nowMs);
  expect([rates.take("a"), rates.take("a"), rates.take("a")]).toEqual([0, 0, 100]);
  expect(rates.take("b")).toBe(0);
  nowMs = 100;
  expect(rates.take("a")).toBe(0);
});

test("[HA9] a kill is never too much", async () => {
  const own = await serveFleet();
  try {
    const token = await own.token("operator");
    const knock = async (): Promise<number> => (await own.ask("/v1/session", { token })).status;
    // A slow machine is given more while it asks.
    const statuses = new Set<number>();
    for (let round = 0; round < 200 && !statuses.has(429); round += 1)
      for (const status of await Promise.all(Array.from({ length: 100 }, knock)))
        statuses.add(status);
    expect(statuses).toContain(429);
    // All at once, so that no time passes in which another would be taken.
    const stop = { method: "POST", token, body: { workers: ["w-none"] } };
    const urgent = await Promise.all(
      Array.from({ length: 300 }, () => own.ask("/v1/stop?dry_run=true", stop)),
    );
    expect(new Set(urgent.map(({ status }) => status))).toEqual(new Set([200]));
    const body = { fleet: "fleet", reason: "enough" };
    const answer = await own.ask("/v1/kill", { method: "POST", token, body });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ order: "kill", proven: true });
  } finally {
    await own.close();
  }
});

test("[HA10] a fleet is killed by its own name alone", async () => {
  const body = { fleet: "other", reason: "a mistake" };
  const problem = await problemOf("/v1/kill", { method: "POST", token: operator, body });
  expect(problem.code).toBe("usage");
  const plain = { kind: "fleet.kill", data: { reason: "another way" } };
  const asking = { method: "POST", token: operator, body: plain };
  expect((await problemOf("/v1/commands", asking)).detail).toContain("POST /v1/kill");
  expect(served.opened.fleet.status).toBe("open");
});
