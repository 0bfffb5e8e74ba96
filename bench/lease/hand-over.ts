import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Trials } from "../measure.ts";
import { onSite } from "../site.ts";

/** How long it may take from a release to the next holder's lease, ms. */
const BAR_MS = 10;
const TURNS = 50;
const WAIT_MS = 600_000;

/** From the call that releases to the lease of whoever waits, by one supervisor: the median. */
export const handOver: Bench = {
  name: "lease: from a release to the next holder",
  unit: "ms",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 7,
  prepare: (): Promise<Trials> =>
    onSite(async (site) => {
      await site.supervise();
      const [one, other] = [await site.open(), await site.open()];
      const region = "src/**";
      return {
        floor: () => Promise.resolve(BAR_MS),
        async measure() {
          const took: number[] = [];
          let held = await one.acquire({ region, holder: "0", waitMs: WAIT_MS });
          for (let turn = 1; turn <= TURNS; turn += 1) {
            const next = turn % 2 === 0 ? one : other;
            const waiting = next.acquire({ region, holder: String(turn), waitMs: WAIT_MS });
            while (one.waiting().length === 0) await sleep(1);
            const releasedAtMs = performance.now();
            const [lease] = await Promise.all([waiting, held.release()]);
            took.push(performance.now() - releasedAtMs);
            held = lease;
          }
          await held.release();
          return took.toSorted((left, right) => left - right)[TURNS / 2] ?? Number.NaN;
        },
        close: async () => {
          await one.close();
          await other.close();
        },
      };
    }),
};
