/*
 * A worker that hangs: it joins, then blocks its only thread, so its process lives and its beats
 * do not come. Nothing in it can answer a signal handler any more; only a kill ends it.
 */
import { joinFleet } from "../worker.ts";

const worker = await joinFleet();
await worker.checkpoint({ doing: "hanging" });
const never = new Int32Array(new SharedArrayBuffer(4));
for (;;) Atomics.wait(never, 0, 0);
