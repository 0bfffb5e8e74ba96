import type { Bench } from "../measure.ts";
import { median } from "../report/verdict.ts";
import { onSite } from "../site.ts";
import { seqsOf, startServer } from "./server.ts";

/** What one journal entry may take to a client, ms. */
const BAR_MS = 50;

const SAMPLES = 50;

/** From giving a command until its entry is with a client of the event stream, append and all. */
export const entryToClient: Bench = {
  name: "journal entry to an SSE client",
  unit: "ms",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 7,
  prepare: () =>
    onSite(async (site) => {
      const server = await startServer(site);
      const fleet = await site.open();
      const controller = new AbortController();
      const { url, headers } = server;
      const stream = await fetch(`${url}/v1/events`, { headers, signal: controller.signal });
      const seqs = seqsOf(stream);
      const sample = async (): Promise<number> => {
        const startMs = performance.now();
        const given = await fleet.submit({
          kind: "halt.request",
          data: { handle: "bench", reason: "to be seen" },
        });
        for (let seq = 0; seq < given.seq;) seq = (await seqs.next()).value as number;
        return performance.now() - startMs;
      };
      return {
        floor: () => Promise.resolve(BAR_MS),
        async measure() {
          const taken: number[] = [];
          for (let count = 0; count < SAMPLES; count += 1) taken.push(await sample());
          return median(taken);
        },
        async close() {
          controller.abort();
          await fleet.close();
          await server.close();
        },
      };
    }),
};
