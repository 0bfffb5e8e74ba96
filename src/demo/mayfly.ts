/*
 * A worker that dies: it joins, then ends itself the hard way, without a word to the fleet.
 */
import { joinFleet } from "../worker.ts";

const worker = await joinFleet();
await worker.checkpoint({ ...worker.state, doing: "dying" });
process.kill(process.pid, "SIGKILL");
