/*
 * A worker whose descendants run off: each is started in a session of its own by a shell that ends
 * at once, so that neither its group, nor its session, nor its parent is the worker's any more.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { joinFleet } from "../worker.ts";
import { RUNAWAY_COMMAND, RUNAWAY_COUNT } from "./task.ts";

const IDLE_MS = 60_000;

const worker = await joinFleet();
for (let count = 0; count < RUNAWAY_COUNT; count += 1) {
  const shell = spawn("/bin/sh", ["-c", `${RUNAWAY_COMMAND.join(" ")} & exit 0`], {
    detached: true,
    stdio: "ignore",
  });
  await once(shell, "exit");
}
await worker.checkpoint({ doing: "wandering", runaways: RUNAWAY_COUNT });
// It does not leave when it is told to: whoever ends it must find what has run off.
setInterval(() => undefined, IDLE_MS);
