import type { Actor } from "../../src/kernel/actor.ts";
import type { Command } from "../../src/kernel/command.ts";
import type { State, Worker } from "../../src/kernel/state.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";

/** What whoever makes up commands knows: everything. What processes know is another matter. */
export interface View {
  readonly random: SeededRandom;
  /** The true state. */
  readonly state: State;
  /** The manifest of every worker that was ever admitted, by id. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** All signers of this world, those of other fleets' secrets last. */
  readonly signers: readonly Signer[];
  /** The signer of the process that is to submit the command. */
  readonly signer: Signer;
  /** The share of commands that are about leases. */
  readonly leaseShare: number;
}

/** A command that was made up, and who gives it. */
export interface Request {
  readonly command: Command;
  readonly actor: Actor;
}

/** The operators of a world; each has refusals of his own to use up. */
export const OPERATORS: readonly [Actor, Actor] = [
  { kind: "operator", id: "ada", via: "cli", host: "h-1", uid: 1000, claimed: ["uid"] },
  { kind: "operator", id: "ben", via: "socket" },
];

/** The supervisor of the one host. */
export const SUPERVISOR: Actor = { kind: "supervisor", id: "h-1", via: "socket" };

/** The actor that is one worker. */
export function asWorker(id: string): Actor {
  return { kind: "worker", id, via: "socket" };
}

/** One of the operators. */
export function anOperator({ random }: View): Actor {
  return random.pick(OPERATORS);
}

/** Any live worker that fits, or any at all, or one that never was. */
export function pickWorker(view: View, fits: (worker: Worker) => boolean = () => true): string {
  const { random, state, manifests } = view;
  const draw = random.below(40);
  if (draw === 0) return `w-${"z".repeat(16)}`;
  const everyone = [...manifests.keys()];
  const live = [...state.workers.values()].filter((worker) => worker.status !== "stopped");
  const fitting = live.filter(fits).map((worker) => worker.id);
  if (draw < 36 && fitting.length > 0) return random.pick(fitting);
  if (draw < 38 && live.length > 0) return random.pick(live).id;
  return everyone.length > 0 ? random.pick(everyone) : `w-${"y".repeat(16)}`;
}

/** A bound, or the whole number just below or above it, never negative. */
export function near({ random }: View, bound: number): number {
  return Math.max(0, bound + random.pick([-1, 0, 0, 1]));
}
