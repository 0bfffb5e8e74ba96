import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { ask } from "./fixtures/ask.ts";
import { BY, makeRig, type Rig } from "./rig.ts";

const SLEEP = ["/bin/sleep", "600"];

test("[SV10] a socket answers the bearer of its own token, and nobody else", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [one, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const { socket } = rig.about;
  const doors = [
    { socket, path: "/v1/status", token: rig.operatorToken },
    { socket: rig.door(one).socket, path: "/v1/worker", token: rig.door(one).token() },
    { socket: rig.door(other).socket, path: "/v1/worker", token: rig.door(other).token() },
  ];
  const tokens = [...doors.map(({ token }) => token), "x".repeat(43), "", undefined];
  for (const door of doors) {
    for (const token of tokens) {
      const { token: own, ...way } = door;
      const reply = await ask({ ...way, ...(token === undefined ? {} : { token }) });
      expect(reply.status).toBe(token === own ? 200 : 401);
      expect(reply.body.error?.retryable).toBe(token === own ? undefined : false);
    }
  }
});

test("[SV10] without its token no command is carried, whatever else a request says", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const { socket } = rig.about;
  const body = { id: "c-1", command: { kind: "fleet.pause", data: { reason: "x" } }, by: BY };
  const token = `${rig.operatorToken}x`;
  expect((await ask({ socket, token, path: "/v1/commands", body })).status).toBe(401);
  const basic = { Authorization: `Basic ${rig.operatorToken}` };
  expect((await ask({ socket, headers: basic, path: "/v1/commands", body })).status).toBe(401);
  expect((await rig.entries()).map(({ kind }) => kind)).toEqual(["fleet.created"]);
});

test("[SV10] sockets and tokens are for their user alone", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const { dir, socket } = rig.door(await rig.start(SLEEP));
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  expect(modeOf(rig.about.socket)).toBe(0o600);
  expect(modeOf(dirname(rig.about.socket))).toBe(0o700);
  expect(modeOf(dir)).toBe(0o711);
  expect(modeOf(socket)).toBe(0o600);
  expect(modeOf(`${dir}/token`)).toBe(0o600);
});

test("[SV11] on its socket a worker acts as itself, whoever it says it is", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const give = (kind: string, data: object, more: object = {}): ReturnType<Rig["worker"]> =>
    rig.worker(id, "/v1/commands", { id: randomUUID(), command: { kind, data }, ...more });

  const own = await give("worker.checkpoint", { worker: id, state: { step: 1 } });
  expect(own.body).toMatchObject({ ok: true });
  const named = await give("worker.note", { worker: id, text: "x" }, { by: BY });
  expect(named).toMatchObject({ status: 400, body: { error: { code: "usage" } } });

  const forbidden: readonly (readonly [string, object])[] = [
    ["worker.checkpoint", { worker: other, state: {} }],
    ["worker.stop", { worker: other, reason: "requested", tree: false }],
    ["worker.stop", { worker: id, reason: "requested", tree: true }],
    ["worker.exited", { worker: other, evidence: { grade: "observed", facts: {} }, outcome: {} }],
    ["worker.quarantine", { worker: other, reason: "x", source: "y", severity: "low" }],
    ["budget.charge", { worker: other, amounts: { cpu_ms: 1 } }],
    ["fleet.kill", { reason: "x" }],
    ["fleet.pause", { reason: "x" }],
    ["clock.tick", {}],
  ];
  for (const [kind, data] of forbidden) {
    const reply = await give(kind, data);
    expect({ kind, ...reply }).toMatchObject({
      kind,
      status: 403,
      body: { refusal: { code: "not_authorised" } },
    });
  }
  const actors = (await rig.entries())
    .filter((entry) => entry.kind === "worker.checkpointed" || entry.kind === "command.refused")
    .map(({ actor }) => actor);
  expect(actors).toHaveLength(1 + forbidden.length);
  for (const actor of actors) {
    expect(actor).toMatchObject({ kind: "worker", id, via: "socket" });
    expect(actor.claimed ?? []).toEqual([]);
  }
});

test("[SV11] what a worker says of its own containment is not taken", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const data = { ...rig.order(SLEEP).admission, parent: id };
  for (const said of [{ degraded: [] }, { verdicts: { x: false } }, { parent_use: {} }]) {
    const command = { kind: "worker.admit", data: { ...data, ...said } };
    const reply = await rig.worker(id, "/v1/commands", { id: randomUUID(), command });
    expect(reply).toMatchObject({ status: 400, body: { error: { code: "usage" } } });
  }
});

test("[SV12] what the operator's token does not vouch for is on record as claimed", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const actorOf = async (by: object): Promise<object> => {
    const command = { kind: "halt.request", data: { handle: "h", reason: "r" } };
    const reply = await rig.operator("/v1/commands", { id: randomUUID(), command, by });
    expect(reply.body).toMatchObject({ ok: true });
    return (await rig.entries()).at(-1)?.actor ?? {};
  };
  const operator = { kind: "operator", via: "cli" };
  expect(await actorOf(operator)).toEqual(operator);
  const named = { ...operator, id: "ada", host: "h", uid: 0, user: "root", claimed: [] };
  expect(await actorOf(named)).toEqual({ ...named, claimed: ["id", "host", "uid", "user"] });
  const worker = { kind: "worker", id: "w-x", via: "library" };
  expect(await actorOf(worker)).toEqual({ ...worker, claimed: ["kind", "id"] });
});

test("[SV13] a body over 1 MiB is refused unread, one of 1 MiB is looked at", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const { socket } = rig.about;
  const token = rig.operatorToken;
  const text = `"${"x".repeat(2 ** 20 - 2)}"`;
  const fits = await ask({ socket, token, path: "/v1/commands", text });
  expect(fits).toMatchObject({ status: 400, body: { error: { code: "usage" } } });
  const over = await ask({ socket, token, path: "/v1/commands", text: `${text} ` });
  expect(over).toMatchObject({ status: 413, body: { error: { code: "limit_exceeded" } } });
  // The socket is there for the next one, and no length that a request declares is believed.
  expect(await askInChunks(socket, token, " ".repeat(2 ** 20 + 1))).toBe(413);
  const pause = { kind: "fleet.pause", data: { reason: "drill" } };
  const command = JSON.stringify({ id: "chunked-1", command: pause, by: BY });
  expect(await askInChunks(socket, token, command.padEnd(2 ** 20))).toBe(200);
  expect((await rig.entries()).map(({ kind }) => kind)).toContain("fleet.paused");
  expect((await rig.operator("/v1/status")).status).toBe(200);
});

test("[SV13] who is refused unread reads the answer while it still writes", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const bytes = 4 * 2 ** 20;
  const head = [
    "POST /v1/commands HTTP/1.1",
    "Host: stint",
    `Authorization: Bearer ${rig.operatorToken}`,
    `Content-Length: ${bytes}`,
    "Connection: close",
  ];
  const socket = connect(rig.about.socket);
  onTestFinished(() => void socket.destroy());
  let said = "";
  socket.on("data", (chunk: Buffer) => void (said += chunk.toString("utf8")));
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  await expect.poll(() => said).toMatch(/^HTTP\/1\.1 413 [^]*limit_exceeded/);
  const written = new Promise((resolve) => socket.write(Buffer.alloc(bytes), resolve));
  expect(await written).toBeFalsy();
});

function askInChunks(socketPath: string, token: string, text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, "Transfer-Encoding": "chunked" };
    const so = { socketPath, path: "/v1/commands", method: "POST", headers, agent: false } as const;
    const asking = request(so, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    asking.on("error", (error: NodeJS.ErrnoException) => {
      // Who is refused unread may find the socket closed while it sends; the answer is there.
      if (error.code !== "EPIPE") reject(error);
    });
    for (let sent = 0; sent < text.length; sent += 65_536)
      asking.write(text.slice(sent, sent + 65_536));
    asking.end();
  });
}

test("[SV14] a worker that asks too often is told when to ask again; others go on", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [loud, quiet] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const said = await pipeline(rig.door(loud).socket, rig.door(loud).token(), 3_000);
  const limited = said.filter((answer) => answer.startsWith("429"));
  expect(limited.length).toBeGreaterThan(0);
  expect(limited[0]).toMatch(/retry-after: 1\r\n/i);
  expect(limited[0]).toContain('"code":"rate_limited"');
  expect(limited[0]).toContain('"retryable":true');
  expect(said.filter((answer) => answer.startsWith("404")).length).toBeGreaterThanOrEqual(400);
  expect((await rig.worker(quiet, "/v1/worker")).status).toBe(200);
  expect((await rig.operator("/v1/status")).status).toBe(200);
});

test("[SV14] nor does one that looks at its places without end", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const loud = await rig.start(SLEEP);
  const data = { place: "q-1", claim: { worker: loud } };
  const command = JSON.stringify({ id: "c-loud", command: { kind: "place.keep", data } });
  const said = await pipeline(rig.door(loud).socket, rig.door(loud).token(), 150, command);
  const codes = said.map((answer) => /"code":"([a-z_]+)"/.exec(answer)?.[1]);
  expect(codes.filter((code) => code === "rate_limited").length).toBeGreaterThan(0);
  expect(codes.filter((code) => code === "place_ended").length).toBeGreaterThanOrEqual(60);
  expect(said.find((answer) => answer.includes("looks at places"))).toMatch(/^429/);
});

/** Asks so often in one breath; answers what came back, from the status on. */
function pipeline(
  ...[socket, token, count, body]: readonly [string, string, number, string?]
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    // What the socket does not know costs it least: the rate alone is in question.
    const asked = body === undefined ? "GET /nothing" : "POST /v1/commands";
    const length = body === undefined ? "" : `Content-Length: ${body.length}\r\n`;
    const head = `${asked} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${length}`;
    const last = `${head}Connection: close\r\n\r\n${body ?? ""}`;
    const connection = connect(socket);
    let text = "";
    connection.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    connection.on("error", reject);
    connection.on("end", () => resolve(text.split("HTTP/1.1 ").slice(1)));
    connection.write(`${head}\r\n${body ?? ""}`.repeat(count - 1) + last);
  });
}

test("[SV13] a connection that says half a request is cut and holds up nobody", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const { socket } = rig.about;
  const cut = ["", "POST /v1/commands HTTP/1.1\r\nHost: x\r\n"].map(
    (said) =>
      new Promise<void>((resolve) => {
        const connection = connect(socket);
        connection.write(said);
        // Cut without a word, or with a reset: either way it is over.
        connection.on("error", () => undefined);
        connection.on("close", () => resolve());
        connection.resume();
      }),
  );
  expect((await rig.operator("/v1/status")).status).toBe(200);
  await Promise.all(cut.slice(1));
  expect((await rig.operator("/v1/status")).status).toBe(200);
});

test("[SV13] requests that a socket does not know are answered so", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const reply = await rig.operator("/v2/status");
  expect(reply).toMatchObject({ status: 404, body: { ok: false, error: { code: "usage" } } });
});
