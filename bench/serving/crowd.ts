import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Bench } from "../measure.ts";
import { onSite, type Site } from "../site.ts";
import { seqsOf, startServer, type BenchServer } from "./server.ts";

const CLIENTS = 500;
const PER_SECOND = 100;
const SECONDS = 10;
const EVENTS = PER_SECOND * SECONDS;

/** What the server may have in memory beside one that serves nobody, MiB. */
const BAR_MIB = 256;

const MIB = 2 ** 20;

/** How long the last event may take to the last client, ms. */
const LATE_MS = 60_000;

/**
 * What a server's memory grows by while 500 clients each get 100 entries a second, one tenth of
 * them reading nothing: each that reads gets every entry once, in order.
 */
export const eventCrowd: Bench = {
  name: `${CLIENTS} SSE clients at ${PER_SECOND} events/s`,
  unit: "MiB",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 1,
  prepare: () =>
    onSite(async (site) => {
      const server = await startServer(site);
      return {
        floor: () => Promise.resolve(BAR_MIB),
        measure: () => measure(site, server),
        close: () => server.close(),
      };
    }),
};

async function measure(site: Site, server: BenchServer): Promise<number> {
  const { url, headers } = server;
  const fleet = await site.open();
  const controller = new AbortController();
  const { signal } = controller;
  const beforeMib = residentMib(server.pid);
  try {
    const streams = await Promise.all(
      Array.from({ length: CLIENTS }, () => fetch(`${url}/v1/events`, { headers, signal })),
    );
    const reading = streams.filter((_, index) => index % 10 !== 0);
    const first = (await fleet.submit(HALT)).seq;
    const last = first + EVENTS;
    const read = Promise.all(reading.map((stream) => readUntil(stream, { first, last })));
    // Whoever fails is told of below, when all is written.
    read.catch(() => undefined);
    let mostMib = beforeMib;
    for (let tick = 0; tick < SECONDS * 10; tick += 1) {
      const startMs = performance.now();
      await Promise.all(Array.from({ length: PER_SECOND / 10 }, () => fleet.submit(HALT)));
      mostMib = Math.max(mostMib, residentMib(server.pid));
      await pause(Math.max(0, 100 - (performance.now() - startMs)));
    }
    await Promise.race([
      read,
      pause(LATE_MS, undefined, { ref: false }).then(() => {
        throw new Error(`every client must have every entry within ${LATE_MS} ms`);
      }),
    ]);
    return mostMib - beforeMib;
  } finally {
    controller.abort();
    await fleet.close();
  }
}

const HALT = { kind: "halt.request", data: { handle: "bench", reason: "to be seen" } };

/** Reads a stream to its last entry. Throws when one is missing, or comes twice. */
async function readUntil(
  stream: Response,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<void> {
  let next: number | undefined;
  for await (const seq of seqsOf(stream)) {
    if (seq < first) continue;
    if (seq !== (next ?? seq)) throw new Error(`entry ${next} must come next, ${seq} did`);
    next = seq + 1;
    if (seq >= last) return;
  }
  throw new Error(`the stream must go on to entry ${last}, it ended before ${next ?? first}`);
}

function residentMib(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return (pages * 4_096) / MIB;
}
