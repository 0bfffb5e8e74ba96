/*
 * A worker that only takes a place, so that a full fleet is full.
 */
import { joinFleet } from "../worker.ts";
import { untilAborted } from "./waiting.ts";

const worker = await joinFleet();
await worker.checkpoint({ doing: "idling" });
await untilAborted(worker.signal);
await worker.leave("completed");
