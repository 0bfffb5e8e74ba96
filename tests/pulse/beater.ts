// Beats for one worker as often as told and prints how many beats were acknowledged.
// Arguments: the file of the store, the worker, the number of beats.
import { openSqlitePulse } from "../../src/pulse/sqlite.ts";
import { Fault } from "../../src/ports/fault.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";

const [file = "", worker = "", count = "0"] = process.argv.slice(2);
const pulse = await openSqlitePulse({ file, clock: systemClock(), random: systemRandom() });
let acknowledged = 0;
for (let beat = 0; beat < Number(count); beat += 1) {
  try {
    await pulse.beat(worker);
    acknowledged += 1;
  } catch (error) {
    // A beat may be lost to a busy store; any other failure ends this program.
    if (!(error instanceof Fault && error.code === "storage_busy")) throw error;
  }
}
await pulse.close();
process.stdout.write(String(acknowledged));
