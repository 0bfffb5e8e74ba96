// The bus as other processes meet it: real supervisors on real sockets, ended without a word.
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { connectSupervisor } from "../../../src/client/supervisor.ts";
import type { BusDelivery, RollDocument } from "../../../src/ports/bus.ts";
import type { Supervision } from "../../../src/ports/supervision.ts";
import { InputError } from "../../../src/protocol/input.ts";
import { makeRig, type Rig } from "../rig.ts";

const WITHIN = { timeout: 30_000, interval: 50 };

async function lineOf(rig: Rig): Promise<Supervision> {
  // The sockets of this rig are in a folder of its own.
  vi.stubEnv("XDG_RUNTIME_DIR", `${rig.folder}/run`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const line = await connectSupervisor({ stateDir: rig.stateDir });
  if (line === undefined) throw new Error("a supervisor must answer");
  onTestFinished(() => line.close());
  return line;
}

/** Follows patterns until the test is over; what was told, in few words. */
function follow(line: Supervision, patterns: readonly string[]): string[] {
  const told: string[] = [];
  const controller = new AbortController();
  const tell = (delivery: BusDelivery): void => {
    if (delivery.kind === "message") told.push(delivery.envelope.subject);
    else told.push(delivery.kind);
  };
  const following = line.follow(patterns, tell, controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await following;
  });
  return told;
}

const statusOf = ({ sections }: RollDocument, name: string): string | undefined =>
  [...sections.expected, ...sections.unexpected].find((row) => row.name === name)?.status;

test("[BU13] a stream goes on with the successor of a dead supervisor (health 3)", async () => {
  const rig = await makeRig();
  const first = await rig.supervise();
  const line = await lineOf(rig);
  const told = follow(line, ["system.>"]);
  await vi.waitFor(() => expect(told).toEqual(["open"]), WITHIN);
  await line.beats([{ name: "api", instance: "1" }]);
  await vi.waitFor(() => expect(told).toContain("system.api.1.status"), WITHIN);
  expect(told.slice(0, 2)).toEqual(["open", "system.api.1.health"]);
  await first.kill();
  await vi.waitFor(() => expect(told).toContain("down"), WITHIN);
  await expect(line.beats([{ name: "api", instance: "1" }])).rejects.toMatchObject({
    code: "supervisor_unreachable",
    retryable: true,
  });
  await rig.supervise();
  await vi.waitFor(() => expect(told.filter((one) => one === "open")).toHaveLength(2), WITHIN);
  // On record, though the one who heard it is gone.
  expect(statusOf(await line.roll(), "api")).toBe("ok");
  const before = told.length;
  await line.beats([{ name: "api", instance: "1" }]);
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(before), WITHIN);
  expect(told.slice(before)).toContain("system.api.1.health");
  const row = (await line.roll()).sections.unexpected[0]?.instances[0];
  expect(row?.count).toBeGreaterThanOrEqual(1);
  expect(row?.history).toMatchObject([{ from: "unknown", to: "ok" }]);
});

test("[RW24] the roll of one name has the supervisor and that name alone", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const line = await lineOf(rig);
  await line.beats(["api", "db"].map((name) => ({ name, instance: "1" })));
  const { sections } = await line.roll("db");
  expect(sections.expected.map(({ name }) => name)).toEqual(["stint"]);
  expect(sections.unexpected).toMatchObject([{ name: "db", instances: [{ instance: "1" }] }]);
  expect(statusOf(await line.roll("web"), "db")).toBeUndefined();
});

test("[BU14] what is asked reaches who comes late, and outlives a death (health 8)", async () => {
  const rig = await makeRig();
  const first = await rig.supervise();
  const line = await lineOf(rig);
  await line.beats([
    { name: "api", instance: "1" },
    { name: "api", instance: "2" },
  ]);
  await vi.waitFor(
    async () => expect(await rig.entries()).toMatchObject([{}, {}, { kind: "roll.changed" }]),
    WITHIN,
  );
  const told = follow(line, ["system.api.1.control"]);
  await vi.waitFor(() => expect(told).toEqual(["open"]), WITHIN);
  const data = { name: "api", instance: "1", action: "stop", ttl_ms: 600_000 };
  const asked = await rig.command("control.request", data);
  expect(asked.body).toMatchObject({ ok: true });
  await vi.waitFor(() => expect(told).toContain("system.api.1.control"), WITHIN);
  const late = follow(line, ["system.api.*.control"]);
  await vi.waitFor(() => expect(late).toEqual(["open", "system.api.1.control"]), WITHIN);
  await first.kill();
  await rig.supervise();
  const later = follow(line, ["system.*.*.control"]);
  await vi.waitFor(() => expect(later).toContain("system.api.1.control"), WITHIN);
  const nobody = { ...data, instance: "9" };
  expect((await rig.command("control.request", nobody)).body).toMatchObject({
    ok: false,
    refusal: { code: "instance_unknown" },
  });
});

test("[BU18] a supervisor that somebody follows does not leave for idleness", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise({ idleMs: 500 });
  const line = await lineOf(rig);
  const controller = new AbortController();
  const told: string[] = [];
  const tell = ({ kind }: BusDelivery): void => void told.push(kind);
  const following = line.follow(["system.none"], tell, controller.signal);
  await vi.waitFor(() => expect(told).toEqual(["open"]), WITHIN);
  await pause(2_000);
  expect(supervised.child.exitCode).toBeNull();
  controller.abort();
  await following;
  expect(await supervised.exited).toBe(0);
});

test("[BU15] who reads nothing loses messages, and others none (health 11)", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const line = await lineOf(rig);
  const quick = follow(line, ["system.burst"]);
  const slow = await openSlow(rig, "/v1/bus?subject=system.burst");
  await vi.waitFor(() => expect(quick).toEqual(["open"]), WITHIN);
  await vi.waitFor(
    async () => expect((await line.roll()).bus).toMatchObject({ subscriptions: 2 }),
    WITHIN,
  );
  const text = "x".repeat(30_000);
  const count = 600;
  for (let n = 0; n < count; n += 1)
    await line.publish({ subject: "system.burst", body: { text, n } });
  await vi.waitFor(() => expect(quick).toHaveLength(count + 1), WITHIN);
  expect(quick).not.toContain("lost");
  const read = await slow.readAll(`"n":${count - 1}}}}\n`);
  const lines = read.split("\n").filter((one) => one.startsWith("{"));
  const kinds = lines.map((one) => JSON.parse(one) as { kind: string; count?: number });
  const lost = kinds.flatMap(({ kind, count: missed }) => (kind === "lost" ? [missed ?? 0] : []));
  const messages = kinds.filter(({ kind }) => kind === "message").length;
  const missing = lost.reduce((sum, one) => sum + one, 0);
  expect(missing).toBeGreaterThan(0);
  expect(messages + missing).toBe(count);
  expect((await line.roll()).bus).toMatchObject({ lost: missing });
});

test("[BU16] what is no pattern, subject or body is refused with why", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const line = await lineOf(rig);
  const { signal } = new AbortController();
  const none = (): void => undefined;
  await expect(line.follow(["a.>.b"], none, signal)).rejects.toThrow(InputError);
  const hearing = { patterns: ["system.>"], as: { service: "api" } };
  await expect(line.follow(hearing, none, signal)).rejects.toThrow(
    'pattern must be below "system.api", got "system.>"',
  );
  await expect(line.publish({ subject: "system.api.1.health", body: {} })).rejects.toThrow(
    InputError,
  );
  const large = { subject: "system.x", body: { text: "x".repeat(40_000) } };
  await expect(line.publish(large)).rejects.toThrow("at most 32768 bytes");
  const as = { service: "api" };
  await expect(line.publish({ subject: "system.web.x", body: {} }, as)).rejects.toThrow(InputError);
  expect(await line.publish({ subject: "system.api.x", body: {} }, as)).toHaveProperty("id");
  await expect(line.beats(Array.from({ length: 1_001 }, () => ({})))).rejects.toThrow(
    "an array of at most 1000",
  );
  expect(await line.beats([{ name: "web", instance: "1" }], as)).toMatchObject({ accepted: 0 });
  expect((await rig.operator("/v1/bus")).status).toBe(400);
});

test("[BU17] a worker has its own subjects and no others (health 5)", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const line = await lineOf(rig);
  const id = await rig.start(["/bin/sleep", "600"]);
  const told = follow(line, [">"]);
  await vi.waitFor(() => expect(told).toContain("open"), WITHIN);
  const { fleet } = await line.status();
  const own = `fleet.${fleet}.worker.${id}.news`;
  const publish = (subject: string) =>
    rig.worker(id, "/v1/worker/bus", { subject, body: { n: 1 } });
  expect((await publish(own)).body).toMatchObject({ ok: true });
  expect((await publish("system.api.1.news")).body).toMatchObject({ ok: false });
  expect((await rig.worker(id, "/v1/worker/bus?subject=system.%3E")).status).toBe(400);
  expect((await rig.worker(id, "/v1/roll")).status).toBe(404);
  expect((await rig.worker(id, "/v1/beats", { beats: [] })).status).toBe(404);
  await rig.worker(id, "/v1/worker/beat", {});
  await vi.waitFor(() => expect(told).toContain(own), WITHIN);
  await vi.waitFor(() => expect(told).toContain(`fleet.${fleet}.worker.${id}.health`), WITHIN);
  const { sections } = await line.roll();
  expect(sections.workers).toMatchObject([
    { name: "worker", instances: [{ instance: id, kind: "worker", status: "ok" }] },
  ]);
});

/** A connection that asks and then reads nothing until it is told to. */
async function openSlow(
  rig: Rig,
  path: string,
): Promise<{ readAll(until: string): Promise<string> }> {
  const socket: Socket = connect(rig.about.socket);
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${rig.operatorToken}\r\n\r\n`,
  );
  socket.pause();
  return {
    async readAll(until) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let chunks = "";
      socket.setEncoding("utf8").on("data", (text: string) => {
        chunks += text;
        if (chunks.includes(until)) resolve();
      });
      socket.resume();
      await promise;
      return unchunked(chunks);
    },
  };
}

/** The body of an answer in chunks: the sizes between them are left out. */
function unchunked(text: string): string {
  let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
  let body = "";
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || Number.isNaN(size) || size === 0) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}
