/*
 * A worker that dies: it joins, lives a moment, then ends itself the hard way, without a word.
 */
import { setTimeout as after } from "node:timers/promises";
import { joinFleet } from "../worker.ts";

/** Long enough to be seen by who looks from outside, ms. */
const LIFE_MS = 1_500;

const worker = await joinFleet();
await worker.checkpoint({ doing: "dying" });
await after(LIFE_MS);
process.kill(process.pid, "SIGKILL");
