// The door for a process that a fleet has started: what it imports to be the worker it is for.

export { joinFleet } from "./compose/worker.ts";
export type { JoinedWorker, JoinOptions } from "./library/fleet/join.ts";
export { Refused } from "./library/refused.ts";
export { Interrupted } from "./library/worker/interrupted.ts";
export type { WorkerHandle } from "./library/worker/handle.ts";
export { Fault } from "./ports/fault.ts";
export { InputError } from "./protocol/input.ts";
