import { msOf, type Bench, type Course, type Trials } from "../measure.ts";
import { median } from "../report/verdict.ts";
import { onSite, type Site } from "../site.ts";
import { startServer } from "./server.ts";

const WORKERS = 10_000;

/** Admissions that are asked for at once. */
const AT_ONCE = 500;

const SAMPLES = 15;

/** How long a list that is not known yet may take, and one that its asker has, ms. */
const FRESH_BAR_MS = 50;
const KNOWN_BAR_MS = 5;

/** All live workers, by a request after which the fleet has changed. */
export const listingWorkers: Bench = {
  name: `GET /v1/workers, ${WORKERS.toLocaleString("en-US")} workers`,
  unit: "ms",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 5,
  prepare: (course) => onSite((site) => trialsOn(site, course, FRESH_BAR_MS)),
};

/** The same list, by a request that says which it has. */
export const listingKnownWorkers: Bench = {
  name: `GET /v1/workers, unchanged`,
  unit: "ms",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 5,
  prepare: (course) => onSite((site) => trialsOn(site, course, KNOWN_BAR_MS)),
};

async function trialsOn(site: Site, course: Course, barMs: number): Promise<Trials> {
  const fleet = await site.open();
  await fleet.enact({ maxReplicas: 2 * WORKERS, maxTotal: 1_000_000, registerWithinMs: 3_600_000 });
  for (let count = 0; count < WORKERS; count += AT_ONCE) {
    course.tell(`${count} of ${WORKERS} workers`);
    const asked = Array.from({ length: AT_ONCE }, () => fleet.issueManifest({ name: "bench" }));
    const refused = (await Promise.all(asked)).find((one) => !one.ok);
    if (refused !== undefined) throw new Error(`no admission: ${JSON.stringify(refused)}`);
  }
  const server = await startServer(site);
  const { url } = server;
  let tag = "";
  const get = async (headers: Readonly<Record<string, string>>, status: number): Promise<void> => {
    const answer = await fetch(`${url}/v1/workers?limit=${WORKERS}`, {
      headers: { ...server.headers, ...headers },
    });
    await answer.arrayBuffer();
    tag = answer.headers.get("etag") ?? "";
    if (answer.status !== status)
      throw new Error(`the list must be answered with ${status}, it was with ${answer.status}`);
  };
  await get({}, 200);
  const known = (): Promise<number> => msOf(() => get({ "if-none-match": tag }, 304));
  const fresh = async (): Promise<number> => {
    await fleet.requestHalt({ handle: "bench", reason: "so that another list is there" });
    return msOf(() => get({ "if-none-match": tag }, 200));
  };
  const sample = barMs === KNOWN_BAR_MS ? known : fresh;
  return {
    floor: () => Promise.resolve(barMs),
    async measure() {
      const taken: number[] = [];
      for (let count = 0; count < SAMPLES; count += 1) taken.push(await sample());
      return median(taken);
    },
    async close() {
      await server.close();
      await fleet.close();
    },
  };
}
