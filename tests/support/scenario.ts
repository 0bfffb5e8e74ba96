// Plays for the kernel: `given(steps).when(step).happens(events)` or `.refused(code)`.
// Every step of every play is also checked for what must hold anywhere: deciding twice gives the
// same bytes (I7), nothing is changed in place, no invariant breaks, and what is folded is what was
// recorded.
import canonicalize from "canonicalize";
import { expect } from "vitest";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import { decide } from "../../src/kernel/decide.ts";
import type { Decision } from "../../src/kernel/rules/ruling.ts";
import { seqAfter } from "../../src/kernel/entry.ts";
import type { Event, EventKind } from "../../src/kernel/event.ts";
import { evolve, type Happening } from "../../src/kernel/evolve.ts";
import { DEFAULT_CONTRACT, type Contract } from "../../src/kernel/fleet/contract.ts";
import { findViolations } from "../../src/kernel/invariants/invariants.ts";
import type { Json, JsonObject } from "../../src/kernel/json.ts";
import type { RefusalCode } from "../../src/kernel/refusal.ts";
import { INITIAL_STATE, type State, type Worker } from "../../src/kernel/state.ts";
import type { LimitHit } from "../../src/kernel/worker/limit.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { encodeState } from "../../src/runtime/state-codec.ts";

/** When every play begins, ms. */
export const START_MS = 1_700_000_000_000;
/** The fleet of every play. */
export const FLEET = "f-plays";
/** The key that every play begins with. */
export const KEY = { key_id: "k1", public_key: "A".repeat(43) };

/** An operator by name. */
export const OPERATOR: Actor = { kind: "operator", id: "anna", via: "library" };
/** A supervisor, who observes and carries out. */
export const SUPERVISOR: Actor = { kind: "supervisor", id: "s1", via: "socket" };
/** The loop itself. */
export const SYSTEM: Actor = { kind: "system", via: "runtime" };

/** The instance id that stands for a short name in plays: a to z, 2 to 7. */
export function idOf(name: string): string {
  return `w-${name.padEnd(16, "2")}`;
}

/** The worker of a name as it acts for itself. */
export function self(name: string): Actor {
  return { kind: "worker", id: idOf(name), via: "socket" };
}

/** What a step asks, and who asks it. */
export interface Asked {
  readonly command: Command;
  readonly by: Actor;
  readonly ended?: string;
}

/** A step that asks something, which may depend on what happened so far. */
export type Ask = (play: Play) => Asked;

/** One step of a play: something is asked, or time passes. */
export type Step = (play: Play) => Asked | { readonly waitMs: number };

/** A step that asks a command as it stands. */
export function ask<K extends Command["kind"]>(
  kind: K,
  data: CommandMap[K],
  options: { readonly by?: Actor; readonly ended?: string } = {},
): Ask {
  const { by = OPERATOR, ended } = options;
  const command = { kind, data } as unknown as Command;
  return () => ({ command, by, ...(ended === undefined ? {} : { ended }) });
}

/** Time that passes. */
export function after(waitMs: number): Step {
  return () => ({ waitMs });
}

/** Makes the fleet, under a contract that differs from the default in some fields. */
export function create(contract: Partial<Contract> = {}): Ask {
  const whole = { ...DEFAULT_CONTRACT, ...contract };
  return ask("fleet.create", { fleet: FLEET, name: "plays", contract: whole, key: KEY });
}

/** Enacts a contract that differs from the one in force in some fields. */
export function enact(contract: Partial<Contract>): Ask {
  return (play) => {
    const whole = { ...play.state.contract, ...contract };
    return { command: { kind: "contract.enact", data: { contract: whole } }, by: OPERATOR };
  };
}

type Admission = Partial<Omit<CommandMap["worker.admit"], "parent">> & {
  /** The parent's name in the play; absent: a root. */
  readonly under?: string;
  readonly by?: Actor;
  readonly ended?: string;
};

/** Asks for a worker of a name to be admitted. */
export function admit(name: string, admission: Admission = {}): Ask {
  const { under, by, ended, ...others } = admission;
  const data = {
    instance: idOf(name),
    name,
    parent: under === undefined ? null : idOf(under),
    reason: "play",
    state: {},
    budget: {},
    ...others,
  };
  return ask("worker.admit", data, { by: by ?? OPERATOR, ...(ended && { ended }) });
}

/** Presents the manifest that a name was admitted with, changed in some fields. */
export function register(
  name: string,
  changes: Partial<Manifest> = {},
  options: { readonly by?: Actor; readonly ended?: string } = {},
): Ask {
  return (play) => {
    const manifest = { ...play.manifestOf(name), ...changes };
    const command = { kind: "worker.register", data: { manifest, envelope: "valid" } } as const;
    return {
      command,
      by: options.by ?? self(name),
      ...(options.ended && { ended: options.ended }),
    };
  };
}

/** Admits a worker and registers it. */
export function start(name: string, admission: Admission = {}): readonly Ask[] {
  return [admit(name, admission), register(name)];
}

/** Tells a worker to stop. */
export function stop(
  name: string,
  options: Partial<Omit<CommandMap["worker.stop"], "worker">> & { readonly by?: Actor } = {},
): Ask {
  const { by = OPERATOR, ...others } = options;
  const data = { worker: idOf(name), reason: "requested", tree: false, ...others } as const;
  return ask("worker.stop", data, { by });
}

/** What ran a worker saw it end. */
export function exited(
  name: string,
  outcome: CommandMap["worker.exited"]["outcome"] = { exit_code: 0 },
): Ask {
  const evidence = { grade: "observed", facts: {} } as const;
  return ask("worker.exited", { worker: idOf(name), evidence, outcome }, { by: SUPERVISOR });
}

/** Its supervisor tells that a worker has hit limits, of 10 and all of them used. */
export function hits(
  name: string,
  ...told: readonly (Pick<LimitHit, "limit" | "count"> & Partial<LimitHit>)[]
): Ask {
  const limits_hit = told.map((hit) => ({ value: 10, use: 10, ...hit }));
  return ask("worker.hit_limit", { worker: idOf(name), limits_hit }, { by: SUPERVISOR });
}

/** A watcher looks at a worker; it beats and is alive unless said otherwise. */
export function observe(name: string, seen: Partial<CommandMap["worker.observe"]> = {}): Ask {
  const watched = { silent_ms: 0, watched_ms: 10 ** 9, seen: "alive" } as const;
  const data = { worker: idOf(name), beat_count: 7, ...watched, ...seen };
  if (seen.beat_count === undefined && "beat_count" in seen) {
    const { beat_count: _, ...unheard } = data;
    return ask("worker.observe", unheard, { by: SYSTEM });
  }
  return ask("worker.observe", data, { by: SYSTEM });
}

/** Puts a worker into quarantine. */
export function quarantine(name: string): Ask {
  return ask("worker.quarantine", {
    worker: idOf(name),
    reason: "odd",
    source: "watch",
    severity: "high",
  });
}

/** Lifts a quarantine. */
export function unquarantine(name: string): Ask {
  return ask("worker.unquarantine", { worker: idOf(name), resolution: "harmless" });
}

/** Charges a worker; a supervisor does unless it is said who. */
export function charge(
  name: string,
  amounts: CommandMap["budget.charge"]["amounts"],
  by: Actor = SUPERVISOR,
): Ask {
  return ask("budget.charge", { worker: idOf(name), amounts }, { by });
}

/** Pauses the fleet. */
export const pause: Ask = ask("fleet.pause", { reason: "play" });
/** Resumes the fleet. */
export const resume: Ask = ask("fleet.resume", { reason: "play" });
/** Kills the fleet. */
export const kill: Ask = ask("fleet.kill", { reason: "play" });
/**
 * Goes on after entries were lost; `lostCount` were, these manifests are known of them, and this
 * epoch is remembered.
 */
export function recover(workers: readonly Manifest[], lostCount = 10, epoch?: number): Ask {
  return (play) => {
    const remembered_seq = play.state.seq + lostCount;
    const hashes = { kept_hash: "a".repeat(64), remembered_hash: "b".repeat(64) };
    const known = epoch === undefined ? {} : { remembered_epoch: epoch };
    const data = { reason: "play", ...hashes, remembered_seq, ...known, workers };
    return { command: { kind: "fleet.recover", data }, by: OPERATOR };
  };
}

/** Lets the loop notice what time has ended. */
export const tick: Ask = ask("clock.tick", {}, { by: SYSTEM });

/** A fleet as it is played, with everything that was recorded of it. */
export class Play {
  state: State = freeze(INITIAL_STATE);
  atMs = START_MS;
  readonly entries: Happening[] = [];
  #count = 0;

  /** Takes a step; answers what was decided, or null for time that passes. */
  take(step: Step): Decision | null {
    const asked = step(this);
    if ("waitMs" in asked) {
      this.atMs += asked.waitMs;
      return null;
    }
    this.#count += 1;
    const { command, by: actor, ended } = asked;
    const found = ended === undefined ? {} : { ended };
    const submission = freeze({ id: `c${this.#count}`, actor, command, ...found });
    const decision = decide(this.state, submission, this.atMs);
    const again = decide(this.state, submission, this.atMs);
    expect(canonicalize(again)).toBe(canonicalize(decision));
    for (const event of decision.events) this.#record(event, asked.by);
    return decision;
  }

  #record(event: Event, actor: Actor): void {
    // What the fold gets is what a journal gives back.
    const recorded = JSON.parse(String(canonicalize(event))) as Event;
    expect(recorded).toStrictEqual(event);
    const seq = seqAfter(this.state.seq, event);
    const happening = freeze({ ...recorded, seq, at_ms: this.atMs, actor }) as Happening;
    const next = freeze(evolve(this.state, happening));
    expect(findViolations(this.state, happening, next)).toStrictEqual([]);
    this.entries.push(happening);
    this.state = next;
  }

  /** The manifest that a name was admitted with last. */
  manifestOf(name: string): Manifest {
    const admitted = this.entries.findLast(
      (entry) => entry.kind === "worker.admitted" && manifestIn(entry).instance === idOf(name),
    );
    if (admitted === undefined) throw new Error(`${name} must have been admitted in this play`);
    return manifestIn(admitted);
  }

  /** A worker that the state holds. */
  worker(name: string): Worker {
    const worker = this.state.workers.get(idOf(name));
    if (worker === undefined) throw new Error(`${name} must be in the state of this play`);
    return worker;
  }

  /** Whether the state still holds a worker. */
  holds(name: string): boolean {
    return this.state.workers.has(idOf(name));
  }
}

function manifestIn(entry: Happening): Manifest {
  return (entry.data as { readonly manifest: Manifest }).manifest;
}

/** The state after all entries from the first one, as canonical text. */
export function fold(entries: readonly Happening[]): string {
  let state = INITIAL_STATE;
  for (const entry of entries) state = evolve(state, entry);
  return encodeState(state);
}

/** An event that is expected: its kind, or also some of its data. */
export type ExpectedEvent =
  EventKind | { readonly kind: EventKind; readonly data: Readonly<Record<string, unknown>> };

/** What a play's last step came to. */
export class Outcome {
  readonly play: Play;
  readonly decision: Decision;
  readonly #before: State;

  constructor(play: Play, decision: Decision, before: State) {
    this.play = play;
    this.decision = decision;
    this.#before = before;
  }

  /** Exactly these events happened, in this order. */
  happens(...expected: readonly ExpectedEvent[]): Play {
    const { events, refusal } = this.decision;
    expect(refusal?.message ?? null).toBeNull();
    expect(events.map(({ kind }) => kind)).toStrictEqual(
      expected.map((one) => (typeof one === "string" ? one : one.kind)),
    );
    for (const [index, one] of expected.entries())
      if (typeof one !== "string") expect(events[index]?.data).toMatchObject(one.data);
    return this.play;
  }

  /** The rules said no by this code, and nothing changed but the count of refusals. */
  refused(code: RefusalCode, facts: JsonObject = {}): Play {
    const { refusal, events } = this.decision;
    expect(refusal).toMatchObject({ code, facts });
    expect(refusal?.message).toMatch(/\S \S/);
    const isFounded = this.#before.status !== "none";
    if (isFounded) expect(events.at(-1)).toMatchObject({ kind: "command.refused", data: refusal });
    else expect(events).toEqual([]);
    if (events.length === 1) {
      const { refusals, seq, at_ms } = this.#before;
      const undone = { ...this.play.state, refusals, seq, at_ms };
      expect(encodeState(undone)).toBe(encodeState(this.#before));
    }
    return this.play;
  }
}

/** A fleet in which all of these steps were granted. */
export class Given {
  readonly play = new Play();

  constructor(steps: readonly (Step | readonly Step[])[]) {
    for (const step of steps.flat()) {
      const refusal = this.play.take(step)?.refusal ?? null;
      if (refusal !== null) throw new Error(`a given step must be granted: ${refusal.message}`);
    }
  }

  /** Takes the step that the play is about. */
  when(step: Step): Outcome {
    const before = this.play.state;
    const decision = this.play.take(step);
    if (decision === null) throw new Error("the step that a play is about must ask something");
    expect(fold(this.play.entries)).toBe(encodeState(this.play.state));
    return new Outcome(this.play, decision, before);
  }
}

/** Begins a play. */
export function given(...steps: readonly (Step | readonly Step[])[]): Given {
  return new Given(steps);
}

/** Freezes a value and all that it holds, the values of maps included. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const held = Symbol.iterator in value ? [...(value as Iterable<unknown>)] : Object.values(value);
  for (const one of held) freeze(one as Json);
  return Object.freeze(value);
}
