import { join } from "node:path";
import { canonicalText } from "../src/runtime/canonical.ts";
import { loadSqlite } from "../src/system/sqlite-library.ts";
import { carryPair, endAll, makeFolder, openFleetIn } from "./fleet.ts";
import { perSecond, type Bench, type Trials } from "./measure.ts";

const PAIRS = 300;
const CALLERS = 16;
const SHARED_PAIRS = 60 * CALLERS;

/** Pairs of admission and registration by one caller, against raw commits of the same bytes. */
export const onePair: Bench = {
  name: "admit+register, one caller",
  unit: "pairs/s",
  floorName: "raw SQLite commits of the same bytes",
  target: { ratio: 0.5, better: "higher" },
  rounds: 7,
  async prepare(): Promise<Trials> {
    const folder = await makeFolder();
    const fleet = await openFleetIn(folder.path);
    const texts = (await carryPair(fleet.loop)).map(({ hash: _hash, ...entry }) =>
      canonicalText(entry),
    );
    const raw = openRaw(join(folder.path, "floor.db"));
    return {
      floor: () => perSecond(PAIRS, () => raw.commit(PAIRS, texts)),
      async measure() {
        const rate = await perSecond(PAIRS, async () => {
          for (let pair = 0; pair < PAIRS; pair += 1) await carryPair(fleet.loop);
        });
        await endAll(fleet.loop);
        return rate;
      },
      async close() {
        raw.close();
        await fleet.close();
        await folder.remove();
      },
    };
  },
};

/** What any journal on SQLite must do at least: the same texts, each durable by itself. */
export function openRaw(path: string): {
  commit(pairs: number, texts: readonly string[]): void;
  close(): void;
} {
  const db = new (loadSqlite())(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE entries (seq INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  const insert = db.prepare("INSERT INTO entries (text) VALUES (?)");
  return {
    commit(pairs, texts) {
      for (let pair = 0; pair < pairs; pair += 1)
        for (const text of texts) db.transaction(() => insert.run(text)).immediate();
    },
    close: () => void db.close(),
  };
}

/** Sixteen callers in one process, against one: what group commit is for. */
export const manyCallers: Bench = {
  name: "admit+register, 16 callers",
  unit: "pairs/s",
  floorName: "one caller",
  target: { ratio: 5, better: "higher" },
  rounds: 7,
  async prepare(): Promise<Trials> {
    const folder = await makeFolder();
    const fleet = await openFleetIn(folder.path);
    const { loop } = fleet;
    const rateOf = async (callers: number, pairs: number): Promise<number> => {
      const rate = await perSecond(pairs, async () => {
        await Promise.all(Array.from({ length: callers }, () => carryMany(pairs / callers)));
      });
      await endAll(loop);
      return rate;
    };
    const carryMany = async (pairs: number): Promise<void> => {
      for (let pair = 0; pair < pairs; pair += 1) await carryPair(loop);
    };
    return {
      // The same work on both sides, so that both meet a fleet that grows alike.
      floor: () => rateOf(1, SHARED_PAIRS),
      measure: () => rateOf(CALLERS, SHARED_PAIRS),
      async close() {
        await fleet.close();
        await folder.remove();
      },
    };
  },
};
