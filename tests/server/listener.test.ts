// Connections as such: who asks for much and reads nothing, who is silent, who speaks no HTTP.
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { problemSchema } from "../../src/protocol/document/schema/problem.ts";
import { Connections } from "../../src/server/connections.ts";
import { listen, type Listener, type ListenOptions } from "../../src/server/listener.ts";

let listener: Listener | undefined;
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await listener?.close();
  listener = undefined;
});

async function open(options: Partial<ListenOptions> = {}): Promise<void> {
  const answer = async (): Promise<Response> => new Response("here");
  listener = await listen({ host: "127.0.0.1", port: 0, answer, ...options });
}

/** A connection that is there, as the port has it. */
async function dial(): Promise<Socket> {
  const socket = connect(listener?.port ?? 0, "127.0.0.1");
  socket.on("error", () => undefined);
  sockets.add(socket);
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  return socket;
}

function get(path = "/", more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
}

/** All that comes on a connection until it ends. */
async function rest(socket: Socket): Promise<string> {
  let text = "";
  for await (const piece of socket) text += String(piece);
  return text;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

/** The answer to a request on a connection of its own. */
async function asked(bytes: string): Promise<string> {
  const socket = await dial();
  socket.write(bytes);
  return rest(socket);
}

test("[HA20] who reads nothing of an answer is cut off, and who reads slowly is not", async () => {
  const endless = (): Response => {
    const chunk = new Uint8Array(2 ** 16);
    return new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }, { highWaterMark: 0 }),
    );
  };
  await open({ answer: async () => endless(), stuckMs: 3_000 });
  const [stuck, slow] = [await dial(), await dial()];
  let taken = 0;
  slow.on("data", ({ length }) => {
    taken += length;
    // It takes a little, again and again.
    slow.pause();
    setTimeout(() => slow.resume(), 200);
  });
  slow.write(get());
  stuck.pause();
  stuck.write(get());
  const cut = closed(stuck);
  // A paused socket does not say that it was closed: only its writing does.
  const knocking = setInterval(() => stuck.write("x"), 500);
  await cut;
  clearInterval(knocking);
  const before = taken;
  await expect.poll(() => taken, { timeout: 30_000 }).toBeGreaterThan(before);
  expect(slow.destroyed).toBe(false);
}, 120_000);

test("[HA20] what waits for a reader is counted from when it last took something", () => {
  let nowMs = 0;
  const connections = new Connections({ max: 10, stuckMs: 100, nowMs: () => nowMs });
  const socket = { bytesWritten: 50, writableLength: 50, destroyed: false, once: () => undefined };
  const played = { ...socket, destroy: () => void (played.destroyed = true) };
  connections.add(played as unknown as Socket);
  nowMs = 90;
  connections.cutStuck();
  played.writableLength = 10;
  nowMs = 120;
  // It took 40 bytes since.
  connections.cutStuck();
  nowMs = 219;
  connections.cutStuck();
  expect(played.destroyed).toBe(false);
  // More is told meanwhile, of which it takes nothing either.
  [played.bytesWritten, played.writableLength] = [70, 30];
  nowMs = 220;
  connections.cutStuck();
  expect(played.destroyed).toBe(true);
});

test("[HA20] more than 32 requests at once on one connection are told to wait", async () => {
  const gate = Promise.withResolvers<void>();
  let atOnce = 0;
  await open({
    answer: async () => {
      atOnce += 1;
      await gate.promise;
      return new Response("here");
    },
  });
  const socket = await dial();
  socket.write(get().repeat(40));
  await expect.poll(() => atOnce).toBe(32);
  gate.resolve();
  const answer = await rest(socket);
  expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(32);
  expect(answer.match(/HTTP\/1\.1 429 /g)).toHaveLength(1);
  expect(atOnce).toBe(32);
  // Others are not held up by it.
  expect(await asked(get("/", "Connection: close\r\n"))).toMatch(/ 200 /);
});

test("[HA20] who opens many connections and is silent locks nobody out", async () => {
  const gate = Promise.withResolvers<void>();
  const answer = async (): Promise<Response> => {
    await gate.promise;
    return new Response("here");
  };
  await open({ answer, connectionsMax: 4 });
  const busy = await dial();
  busy.write(get("/", "Connection: close\r\n"));
  const [oldest] = [await dial(), await dial(), await dial()];
  const gone = closed(oldest);
  const late = asked(get("/", "Connection: close\r\n"));
  await gone;
  gate.resolve();
  expect(await late).toMatch(/ 200 /);
  // What was under way was not given up for it.
  expect(await rest(busy)).toMatch(/ 200 /);
});

test.each([
  ["no HTTP at all", "hello\r\n\r\n", 400],
  ["a host that makes no URL", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
  ["too many headers", get("/", `X-Much: ${"x".repeat(20_000)}\r\n`), 431],
  ["two lengths", get("/", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400],
])("[HA6] %s is answered by a problem, and as safely as all else", async (_, bytes, status) => {
  await open();
  const answer = await asked(bytes);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toMatch(/^Content-Security-Policy: default-src 'none'/im);
  expect(answer).toMatch(/^Content-Type: application\/problem\+json/im);
  const body: unknown = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));
  expect(problemSchema.safeParse(body).error).toBeUndefined();
});

test("[HA20] who does not say what it wants is told that its time is over", async () => {
  await open();
  const socket = await dial();
  socket.write("GET / HTTP/1.1\r\nHost: loc");
  expect(await rest(socket)).toMatch(/^HTTP\/1\.1 408 /);
}, 60_000);
