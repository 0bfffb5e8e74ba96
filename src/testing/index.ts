// The door for tests: the contracts that adapters owe, the invariants that every entry keeps, and
// clocks and randomness that obey.

import "../system/recent-node.ts";

export { evolve } from "../kernel/evolve.ts";
export type { Happening } from "../kernel/evolve.ts";
export { findViolations } from "../kernel/invariants/invariants.ts";
export { INITIAL_STATE } from "../kernel/state.ts";
export type { State } from "../kernel/state.ts";
export { FakeClock } from "./fake-clock.ts";
export { JOURNAL_CONTRACT } from "./journal-contract.ts";
export { PULSE_CONTRACT } from "./pulse-contract.ts";
export type { Expect, PulseCase, PulseSubject } from "./pulse-contract.ts";
export { SANDBOX_CONTRACT } from "./sandbox-contract.ts";
export type { SandboxCase, SandboxSubject } from "./sandbox-contract.ts";
export { seededRandom } from "./seeded-random.ts";
export type { SeededRandom } from "./seeded-random.ts";
