/*
 * A worker that misses beats and recovers: it blocks its only thread for longer than three beats
 * and for much less than it would be reaped after. It dozes again in case nobody looked.
 */
import { setTimeout as after } from "node:timers/promises";
import { joinFleet } from "../worker.ts";

const DOZE_MS = 3_000;
const AWAKE_MS = 20_000;

const worker = await joinFleet();
const never = new Int32Array(new SharedArrayBuffer(4));
for (let times = 1; !worker.signal.aborted; times += 1) {
  await worker.checkpoint({ doing: "dozing", times });
  Atomics.wait(never, 0, 0, DOZE_MS);
  await worker.checkpoint({ doing: "working", times });
  // Interrupted is how it ends.
  await after(AWAKE_MS, undefined, { signal: worker.signal }).catch(() => undefined);
}
await worker.leave("completed");
