// Prints one reading of the host's clocks, as JSON, for each line of its input.
import { createInterface } from "node:readline";
import { systemClock } from "../../src/system/clock.ts";

const clock = systemClock();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "read") process.stdout.write(`${JSON.stringify(clock.read())}\n`);
}
