// The door for a process that a fleet has started: what it imports to be the worker it is for.

export { joinFleet } from "./compose/worker.ts";
export type { JoinedWorker, JoinOptions } from "./library/fleet/join.ts";
export type { LeaseHandle } from "./library/lease/hold.ts";
export { LeaseLost } from "./library/lease/lost.ts";
export type { OwnAcquireOptions } from "./library/lease/options.ts";
export type { LeaseHolder } from "./library/lease/own.ts";
export type { OwnCheckOptions, PathVerdict } from "./library/lease/path-verdict.ts";
export type { LeaseView } from "./library/lease/view.ts";
export { Refused } from "./library/refused.ts";
export { Interrupted } from "./library/worker/interrupted.ts";
export type { WorkerHandle } from "./library/worker/handle.ts";
export { Fault } from "./ports/fault.ts";
export { InputError } from "./protocol/input.ts";
