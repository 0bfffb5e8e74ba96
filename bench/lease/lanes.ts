import { join } from "node:path";
import { startClient, type Client } from "../clients.ts";
import type { Bench, Trials } from "../measure.ts";
import { onSite } from "../site.ts";
import type { Order } from "./client.ts";

const PROGRAM = join(import.meta.dirname, "client.ts");
const CLIENTS = 8;
const FOR_MS = 2_000;
const FAIRNESS = 0.5;
const QUEUE_FAIRNESS = 0.8;

/** Eight processes, each on a lane of its own through one supervisor, against one alone. */
export const lanesTogether: Bench = {
  name: `lease: ${CLIENTS} processes on ${CLIENTS} lanes, together`,
  unit: "pairs/s",
  floorName: "one process on one lane",
  target: { ratio: 0.8, better: "higher" },
  rounds: 7,
  prepare: () => withClients(laneEach, together),
};

/** Eight processes that wait for one lane through one supervisor, against one alone. */
export const oneLaneTogether: Bench = {
  name: `lease: ${CLIENTS} processes waiting for one lane, together`,
  unit: "pairs/s",
  floorName: "one process on one lane",
  target: { ratio: 0.5, better: "higher" },
  rounds: 7,
  prepare: () => withClients(oneLane, together),
};

/** How many pairs the process had that had the fewest, in parts of what the luckiest had. */
export const lanesFairly: Bench = {
  name: `lease: ${CLIENTS} processes on ${CLIENTS} lanes, fewest/most`,
  unit: "of the most",
  floorName: "the bar, as a constant",
  target: { atLeast: FAIRNESS },
  rounds: 7,
  prepare: () => withClients(laneEach, fairly(FAIRNESS)),
};

/** The same of the processes that wait for one lane. */
export const oneLaneFairly: Bench = {
  name: `lease: ${CLIENTS} processes waiting for one lane, fewest/most`,
  unit: "of the most",
  floorName: "the bar, as a constant",
  target: { atLeast: QUEUE_FAIRNESS },
  rounds: 7,
  prepare: () => withClients(oneLane, fairly(QUEUE_FAIRNESS)),
};

/** Each client its own lane, or all of them one. */
const laneEach = (index: number): readonly [string] => [`lane-${index}`];
const oneLane = (index: number): readonly [string, string] => ["lane-0", `client ${index}`];

type TrialsOf = (clients: readonly Client[]) => Omit<Trials, "close">;

const together: TrialsOf = (clients) => ({
  floor: async () => perSecond(await workOf(clients.slice(0, 1))),
  measure: async () => perSecond(await workOf(clients)),
});

function fairly(bar: number): TrialsOf {
  return (clients) => ({
    floor: () => Promise.resolve(bar),
    async measure() {
      const counts = await workOf(clients);
      return Math.min(...counts) / Math.max(...counts);
    },
  });
}

function withClients(
  argsOf: (index: number) => readonly string[],
  trialsOf: TrialsOf,
): Promise<Trials> {
  return onSite(async (site) => {
    await site.supervise();
    const names = Array.from({ length: CLIENTS }, (_, index) => `lane-${index}`);
    const fleet = await site.open();
    await fleet.enactGround({ lanes: names.map((name) => ({ name, region: [`src/${name}/**`] })) });
    await fleet.close();
    const clients = await Promise.all(
      names.map((_, index) => startClient(site, PROGRAM, ...argsOf(index))),
    );
    const close = async (): Promise<void> =>
      void (await Promise.all(clients.map((client) => client.close())));
    return { ...trialsOf(clients), close };
  });
}

/** How many pairs each of some clients had, all at work at the same time. */
async function workOf(clients: readonly Client[]): Promise<readonly number[]> {
  const tellAll = (order: Order): Promise<readonly unknown[]> =>
    Promise.all(clients.map((client) => client.tell(order)));
  await tellAll({ do: "open" });
  const counts = await tellAll({ do: "work", forMs: FOR_MS });
  await tellAll({ do: "close" });
  return counts.map(Number);
}

function perSecond(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0) / (FOR_MS / 1_000);
}
