import { memoryJournal } from "../../src/journal/memory.ts";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { DEFAULT_CONTRACT, type Contract } from "../../src/kernel/fleet/contract.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { GENESIS, type Journal } from "../../src/ports/journal.ts";
import type { Log } from "../../src/ports/log.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { Answer, Loop } from "../../src/runtime/loop.ts";
import { openLoop, type LoopOptions } from "../../src/runtime/open-loop.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { FakeTimers } from "./fake-timers.ts";

/** An operator of the library. */
export const OPERATOR: Actor = { kind: "operator", id: "anna", via: "library" };
/** A supervisor, who says what it observes. */
export const SUPERVISOR: Actor = { kind: "supervisor", id: "s1", via: "runtime" };
/** The signer of every fleet of these tests. */
export const SIGNER: Signer = openSigner("a secret that only these tests know");
/** The id of every fleet of these tests. */
export const FLEET = "f-tests";

/** The instance id that stands for a short name: a to z, 2 to 7. */
export function idOf(name: string): string {
  return `w-${name.padEnd(16, "2")}`;
}

/** Letters that stand for a number, other ones for each. */
export function lettersOf(number: number): string {
  return number.toString(6).replaceAll(/\d/g, (digit) => "abcdef"[Number(digit)] ?? "");
}

/** A worker as it acts for itself. */
export function self(name: string): Actor {
  return { kind: "worker", id: idOf(name), via: "socket" };
}

/** Makes the fleet, under a contract that differs from the default in some fields. */
export function create(contract: Partial<Contract> = {}, signer: Signer = SIGNER): Command {
  const whole = { ...DEFAULT_CONTRACT, ...contract };
  return {
    kind: "fleet.create",
    data: { fleet: FLEET, name: "tests", contract: whole, key: signer.key },
  };
}

/** Asks for a root of a name to be admitted, unless told more. */
export function admit(
  name: string,
  more: Partial<CommandMap["worker.admit"]> = {},
): Command<"worker.admit"> {
  const data = { instance: idOf(name), name, parent: null, reason: "test", state: {}, budget: {} };
  return { kind: "worker.admit", data: { ...data, ...more } };
}

/** Presents a manifest, found valid. */
export function register(manifest: Manifest): Command {
  return { kind: "worker.register", data: { manifest, envelope: "valid" } };
}

/** Tells that a worker was seen to end. */
export function exited(name: string): Command {
  const evidence = { grade: "observed", facts: {} } as const;
  return { kind: "worker.exited", data: { worker: idOf(name), evidence, outcome: {} } };
}

/** Writes a note about a worker. */
export function note(name: string, text = "seen"): Command {
  return { kind: "worker.note", data: { worker: idOf(name), text } };
}

/** Tells a worker to stop. */
export function stop(name: string): Command {
  return { kind: "worker.stop", data: { worker: idOf(name), reason: "requested", tree: false } };
}

/** Kills the fleet. */
export const KILL: Command = { kind: "fleet.kill", data: { reason: "test" } };
/** Pauses the fleet. */
export const PAUSE: Command = { kind: "fleet.pause", data: { reason: "test" } };
/** Resumes the fleet. */
export const RESUME: Command = { kind: "fleet.resume", data: { reason: "test" } };
/** Lets time end what it has ended. */
export const TICK: Command = { kind: "clock.tick", data: {} };

/** A world of one journal in memory, its clock, and as many loops as a test opens. */
export class Rig {
  readonly clock = new FakeClock();
  readonly timers = new FakeTimers(this.clock);
  readonly journal: Journal;
  readonly warnings: string[] = [];
  readonly log: Log = {
    warn: (message) => void this.warnings.push(message),
    info: () => undefined,
  };
  #count = 0;

  /** `wrap` makes another journal of the one in memory, say one that fails. */
  constructor(wrap: (journal: Journal) => Journal = (journal) => journal) {
    this.journal = wrap(memoryJournal({ clock: this.clock }));
  }

  /** Opens a loop, on this rig's journal unless told otherwise. */
  open(options: Partial<LoopOptions> = {}): Promise<Loop> {
    this.#count += 1;
    const { journal, timers, log } = this;
    const random = seededRandom(this.#count);
    return openLoop({ journal, signer: SIGNER, random, timers, log, ...options });
  }

  /** Opens a loop with a fleet under a contract. */
  async found(contract: Partial<Contract> = {}, options: Partial<LoopOptions> = {}): Promise<Loop> {
    const loop = await this.open(options);
    await granted(loop.submit(create(contract), OPERATOR));
    await this.timers.settle();
    return loop;
  }

  /** All entries that the journal holds. */
  entries(): Promise<readonly Entry[]> {
    return this.journal.read(GENESIS, 4_096);
  }

  /** The kinds of all entries, signed heads left out. */
  async kinds(): Promise<readonly string[]> {
    const entries = await this.entries();
    return entries.map(({ kind }) => kind).filter((kind) => kind !== "journal.signed");
  }
}

/** Admits a worker and registers it. */
export async function begin(
  loop: Loop,
  name: string,
  more: Partial<CommandMap["worker.admit"]> = {},
): Promise<void> {
  const { entries } = await granted(loop.submit(admit(name, more), OPERATOR));
  await granted(loop.submit(register(manifestIn(entries)), OPERATOR));
}

/** The manifest that an admission issued. */
export function manifestIn(entries: readonly Entry[]): Manifest {
  for (const entry of entries) if (entry.kind === "worker.admitted") return entry.data.manifest;
  throw new Error("an admission must have a manifest");
}

/** The answer of a command that must be granted. */
export async function granted(answer: Promise<Answer>): Promise<Answer & { readonly ok: true }> {
  const given = await answer;
  if (given.ok) return given;
  throw new Error(`must be granted, was refused: ${given.refusal.message}`);
}

/** The refusal of a command that must be refused. */
export async function refused(
  answer: Promise<Answer>,
): Promise<(Answer & { readonly ok: false })["refusal"]> {
  const given = await answer;
  if (!given.ok) return given.refusal;
  throw new Error(`must be refused, was granted in ${given.seq}`);
}
