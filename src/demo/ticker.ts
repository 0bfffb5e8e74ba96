/*
 * A worker that can be seen to run from outside: it writes a line and computes for some
 * milliseconds, over and over, until it is ended. Frozen, neither output nor CPU time moves.
 */
import { setTimeout as after } from "node:timers/promises";
import { joinFleet } from "../worker.ts";

const EVERY_MS = 50;
const BUSY_MS = 10;

await joinFleet();
for (let count = 1; ; count += 1) {
  process.stdout.write(`tick ${count}\n`);
  const untilMs = performance.now() + BUSY_MS;
  while (performance.now() < untilMs);
  await after(EVERY_MS);
}
