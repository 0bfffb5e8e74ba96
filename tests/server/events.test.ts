// Events over one connection: resumed, bounded, and ended when their reader may not read any more.
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Envelope } from "../../src/ports/bus.ts";
import type { BusLink } from "../../src/server/bus-link.ts";
import { Broadcast } from "../../src/server/events/broadcast.ts";
import { BusQueue } from "../../src/server/events/bus-queue.ts";
import { RecentEntries } from "../../src/server/events/recent.ts";
import { ServerNumbers } from "../../src/server/numbers.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { readBlocks, serveFleet, type ServedFleet } from "./rig.ts";

let served: ServedFleet;
let viewer: string;

beforeEach(async () => {
  served = await serveFleet();
  viewer = await served.token("viewer");
});
afterEach(() => served.close());

async function note(count: number): Promise<void> {
  const { fleet } = served.opened;
  for (let turn = 0; turn < count; turn += 1)
    await fleet.requestHalt({ handle: "ada", reason: `${turn}` });
}

function head(): number {
  return served.opened.member.seat.loop.head().seq;
}

function seqsOf(blocks: readonly string[]): readonly number[] {
  return blocks.flatMap((block) => /^id: (\d+)$/m.exec(block)?.[1] ?? []).map(Number);
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function message(subject: string, body: Envelope["body"] = {}): Envelope {
  return { v: 1, id: "1", subject, at_ms: 1, from: { kind: "operator" }, body };
}

test("[EV1] without a place a stream begins now, and says where that is", async () => {
  await note(3);
  const response = await served.ask("/v1/events", { token: viewer });
  const reading = readBlocks(response, 4);
  const from = head();
  await note(2);
  const blocks = await reading;
  expect(blocks[0]).toContain("event: open");
  expect(blocks[0]).toContain(`"seq":${from}`);
  expect(seqsOf(blocks)).toEqual(range(from + 1, from + 2));
});

test.each([0, 1, 5])("[EV2] after entry %i all that follow come, each once", async (after) => {
  await note(8);
  const headers = { "Last-Event-ID": String(after) };
  const end = head();
  const response = await served.ask("/v1/events?bus=false", { token: viewer, headers });
  expect(seqsOf(await readBlocks(response, 1 + end - after))).toEqual(range(after + 1, end));
  const asked = await served.ask(`/v1/events?bus=false&after=${after}`, { token: viewer });
  expect(seqsOf(await readBlocks(asked, 1 + end - after))).toEqual(range(after + 1, end));
});

test("[EV2] what another journal had, or this one has not yet, is named", async () => {
  for (const [given, status] of [
    ["999999", 404],
    ["-1", 400],
    ["1e3", 400],
    ["x", 400],
  ] as const) {
    const headers = { "Last-Event-ID": given };
    const response = await served.ask("/v1/events", { token: viewer, headers });
    expect([given, response.status]).toEqual([given, status]);
  }
});

test("[EV3] what the bus delivers has no id, a change of the roll its own name", async () => {
  const response = await served.ask("/v1/events?journal=false", { token: viewer });
  const reading = readBlocks(response, 3);
  await expect.poll(() => response.status).toBe(200);
  served.played.deliver({ kind: "message", envelope: message("system.api.1.status") });
  served.played.deliver({ kind: "message", envelope: message("fleet.f.worker.w.x") });
  const [, roll, other] = await reading;
  expect(roll).toMatch(/^event: roll\ndata: /);
  expect(other).toMatch(/^event: message\ndata: /);
});

test("[EV3] a service hears what is for its name, and no entry", async () => {
  const service = await served.token("service", { service: "api" });
  const response = await served.ask("/v1/events?after=0", { token: service });
  const reading = readBlocks(response, 2);
  await note(1);
  served.played.deliver({ kind: "message", envelope: message("system.other.1.control") });
  served.played.deliver({ kind: "message", envelope: message("system.apis.1.control") });
  served.played.deliver({ kind: "message", envelope: message("system.api.1.control") });
  const [open, heard] = await reading;
  expect(open).toContain('"seq":null');
  expect(heard).toContain('"subject":"system.api.1.control"');
});

test("[EV4] what a reader is too slow for is dropped, counted, and said", () => {
  let lost = 0;
  const queue = new BusQueue((count) => {
    lost += count;
  });
  const text = (pieces: readonly Uint8Array[]): string => pieces.map(String).join();
  for (let turn = 0; turn < 300; turn += 1) queue.add(new Uint8Array([turn % 256]));
  const taken = queue.take();
  expect(lost).toBe(44);
  expect(new TextDecoder().decode(taken[0])).toBe('event: lost\ndata: {"count":44}\n\n');
  expect(text(taken.slice(1, 2))).toBe("44");
  expect(taken).toHaveLength(257);
  expect(queue.take()).toEqual([]);
  queue.add(new Uint8Array(2 ** 20 + 1));
  expect(queue.take()).toHaveLength(1);
});

test("[EV4] entries at hand are bounded; who is behind them reads the journal", () => {
  const recent = new RecentEntries(10);
  const entry = (seq: number, size: number): Entry =>
    ({ seq, kind: "fleet.paused", data: { reason: "x".repeat(size) } }) as unknown as Entry;
  expect(recent.after(9, 1)).toBeUndefined();
  expect(recent.after(10, 1)).toEqual({ pieces: [], lastSeq: 10 });
  for (let seq = 11; seq <= 60; seq += 1) recent.add(entry(seq, 2 ** 19));
  expect(recent.after(10, 1)).toBeUndefined();
  expect(recent.after(59, 2 ** 30)?.lastSeq).toBe(60);
  expect(recent.after(58, 1)?.lastSeq).toBe(59);
});

/** A reader that asks and then takes nothing. */
function stuck(token: string): Socket {
  const socket = connect(served.server.port, "127.0.0.1");
  socket.pause();
  const lines = ["GET /v1/events?after=0 HTTP/1.1", "Host: localhost"];
  socket.write([...lines, `Authorization: Bearer ${token}`, "", ""].join("\r\n"));
  return socket;
}

test("[EV5] readers who take nothing slow nobody down, and go on where they were", async () => {
  const sockets = Array.from({ length: 5 }, () => stuck(viewer));
  const response = await served.ask("/v1/events", { token: viewer });
  const from = head();
  const reading = readBlocks(response, 1 + 400);
  await note(400);
  expect(seqsOf(await reading)).toEqual(range(from + 1, head()));
  const end = head();
  for (const socket of sockets) {
    let text = "";
    for await (const piece of socket) {
      text += String(piece);
      if (text.includes(`id: ${end}\n`)) break;
    }
    expect(seqsOf(text.split("\n\n"))).toEqual(range(1, end));
  }
});

test("[EV6] a stream ends when its token is revoked", async () => {
  const operator = await served.token("operator");
  const session = await (await served.ask("/v1/session", { token: viewer })).json();
  const { token } = (session as { token: { token: string } }).token;
  const response = await served.ask("/v1/events", { token: viewer });
  const reading = response.text();
  const path = `/v1/tokens/${token}`;
  expect((await served.ask(path, { method: "DELETE", token: operator })).status).toBe(200);
  // The very entry that revokes it is not told any more.
  expect(await reading).not.toContain("token.revoked");
});

test("[EV6] a stream ends at the next word to it after its token has expired", async () => {
  const short = await served.token("viewer", { lifetime_ms: 2_000 });
  const response = await served.ask("/v1/events", { token: short });
  const reading = readBlocks(response, 1_000);
  const noting = setInterval(() => void note(1), 200);
  const blocks = await reading;
  clearInterval(noting);
  expect(blocks[0]).toContain("event: open");
  const { status } = await served.ask("/v1/fleet", { token: short });
  expect(status).toBe(401);
});

test("[EV9] who asks for the head alone opens no stream", async () => {
  for (let times = 0; times < 5; times += 1) {
    const response = await served.ask("/v1/events", { method: "HEAD", token: viewer });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toContain("text/event-stream");
  }
  const numbers = await (await served.ask("/metrics", { token: viewer })).text();
  expect(numbers).toMatch(/^\S*http_streams 0$/m);
});

test("[EV9] one token does not take the streams of all", () => {
  const { seat } = served.opened.member;
  const bus = { line: () => Promise.reject(new Error("there is none")) } as unknown as BusLink;
  const broadcast = new Broadcast({ seat, bus, numbers: new ServerNumbers() });
  const opening = { opening: {}, afterSeq: null, hears: () => false, mayGoOn: () => true };
  const opened = [];
  while (broadcast.hasRoomFor("one")) opened.push(broadcast.open({ ...opening, owner: "one" }));
  expect(opened).toHaveLength(1_000);
  while (broadcast.hasRoomFor("other")) opened.push(broadcast.open({ ...opening, owner: "other" }));
  expect(opened).toHaveLength(2_000);
  expect(broadcast.hasRoomFor("third")).toBe(false);
  opened[0]?.end();
  expect(broadcast.hasRoomFor("third")).toBe(true);
  broadcast.close();
  expect(broadcast.hasRoomFor("third")).toBe(false);
});

test("[EV7] a server that closes ends its streams whole", async () => {
  const response = await served.ask("/v1/events", { token: viewer });
  const reading = response.text();
  await note(1);
  await served.close();
  expect(await reading).toMatch(/\n\n$/);
});
