import { join } from "node:path";
import type { Entry } from "../src/kernel/entry.ts";
import type { Seat } from "../src/library/seat.ts";
import { SILENT } from "../src/ports/log.ts";
import type { BusIdentity } from "../src/ports/bus.ts";
import { openSqlitePulse } from "../src/pulse/sqlite.ts";
import { SYSTEM_TIMERS } from "../src/runtime/timers.ts";
import { SupervisorBus } from "../src/supervisor/bus/bus.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { makeFolder, openFleetIn } from "./fleet.ts";
import { perSecond, type Bench } from "./measure.ts";

const INSTANCES = 10_000;
const ROUNDS_OF_ALL = 20;

/** Beats of one request. */
const BATCH = 1_000;

const FROM: BusIdentity = { kind: "operator" };

/**
 * How many beats a supervisor takes, from parsed JSON on: read one by one, over the hub into the
 * roll, with a subscriber that reads none of them, and all of them kept in the pulse store once for
 * each round of all instances. They come without a pause, which is a hundred times as fast as ten
 * thousand instances beat.
 */
export const beats: Bench = {
  name: `beats: ${INSTANCES.toLocaleString("en-US")} instances, hub, roll and pulse`,
  unit: "beats/s",
  floorName: "the bar, as a constant",
  target: { atLeast: 50_000 },
  rounds: 7,
  async prepare() {
    const folder = await makeFolder();
    const fleet = await openFleetIn(folder.path);
    const clock = systemClock();
    const random = systemRandom();
    const pulse = await openSqlitePulse({ file: join(folder.path, "pulse.db"), clock, random });
    const seat = {
      clock,
      random,
      timers: SYSTEM_TIMERS,
      log: SILENT,
      loop: fleet.loop,
      fleet: "f-bench",
      host: { id: "h-bench", uid: 1, user: "bench" },
      store: { journal: fleet.journal, pulse },
      // What a bus does not ask for is not there.
    } as unknown as Seat;
    const bus = new SupervisorBus(seat, { version: "0" });
    await bus.begin();
    const unhear = fleet.loop.onEntry((entry: Entry) => bus.hear(entry));
    bus.hub.subscribe(FROM, ["system.>"]);
    const batches = batchesOf(INSTANCES);
    return {
      floor: () => Promise.resolve(50_000),
      measure: () =>
        perSecond(INSTANCES * ROUNDS_OF_ALL, async () => {
          for (let round = 0; round < ROUNDS_OF_ALL; round += 1) {
            for (const batch of batches) bus.desk.take(FROM, batch);
            await bus.roll.look();
          }
        }),
      close: async () => {
        unhear();
        await bus.close();
        await fleet.close();
        await pulse.close();
        await folder.remove();
      },
    };
  },
};

function batchesOf(count: number): readonly (readonly object[])[] {
  const all = Array.from({ length: count }, (_, index) => ({
    name: `service-${index % 100}`,
    instance: `i${index}`,
    interval_ms: 10_000,
    progress: index,
    sent_at_ms: 1_700_000_000_000,
    pid: 1 + index,
    host: "h-bench",
  }));
  return Array.from({ length: count / BATCH }, (_, index) =>
    all.slice(index * BATCH, (index + 1) * BATCH),
  );
}
