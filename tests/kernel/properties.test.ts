// Random fleets: whatever is asked, in whatever order and at whatever hour, nothing breaks.
// `Play.take` checks after every entry that no invariant is violated, that nothing was changed in
// place and that deciding again gives the same bytes; here it is only fed.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Contract } from "../../src/kernel/fleet/contract.ts";
import { PROBLEMS } from "../../src/protocol/problem.ts";
import { decodeState, encodeState } from "../../src/runtime/state-codec.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  fold,
  idOf,
  KEY,
  kill,
  observe,
  OPERATOR,
  pause,
  Play,
  quarantine,
  register,
  resume,
  self,
  stop,
  SUPERVISOR,
  tick,
  unquarantine,
  type Step,
} from "../support/scenario.ts";

/** The index that stands for somebody who may be dead or never have lived. */
const strangerIndex = 15;

/** How often each kind of move is tried, relative to the others. */
const weights = {
  admit: 8,
  register: 8,
  checkpoint: 1,
  observe: 3,
  stop: 1,
  exited: 2,
  writeOff: 1,
  quarantine: 1,
  unquarantine: 1,
  note: 1,
  charge: 4,
  enact: 1,
  pause: 1,
  rotate: 1,
  tick: 1,
  after: 3,
  kill: 1,
} as const;

const kinds = Object.entries(weights).map(([kind, weight]) => ({
  weight,
  arbitrary: fc.constant(kind as keyof typeof weights),
}));

const move = fc.record({
  kind: fc.oneof(...kinds),
  /** Which of the workers that the state holds, or a stranger. */
  who: fc.nat(strangerIndex),
  /** Another one. */
  other: fc.nat(strangerIndex),
  amount: fc.nat(40),
  flag: fc.boolean(),
  waitMs: fc.constantFrom(0, 1, 1, 400, 999, 1_000, 3_000, 30_000),
  actor: fc.constantFrom("operator", "self", "self", "self", "other", "supervisor"),
  contract: fc.record({
    max_replicas: fc.integer({ min: 3, max: 12 }),
    max_total: fc.integer({ min: 12, max: 40 }),
    max_depth: fc.integer({ min: 1, max: 5 }),
    cooldown_ms: fc.constantFrom(0, 0, 1_000),
    lifetime_ms: fc.constantFrom(20_000, 100_000),
    register_within_ms: fc.constantFrom(1_000, 2_000),
    quarantine_max_ms: fc.constantFrom(1_000, 50_000),
    on_orphan: fc.constantFrom("stop", "grandparent", "grandparent", "grandparent", "keep"),
    silent_alive: fc.constantFrom("flag", "stop"),
    budget: fc.constantFrom(
      {},
      { cpu_milli: 50, units: { tokens: 60 } },
      { spawns: 9, cpu_ms: 90 },
    ),
    default_child: fc.constantFrom({}, { units: { tokens: 5 } }, { cpu_milli: 3 }),
    stop: fc.constantFrom([], [{ name: "six", when: "active_count >= 6" }]),
  }),
});

type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

/** Short names in the order of their admissions: a, b, …, z, ba, bb, … */
function nameAt(index: number): string {
  const letter = String.fromCodePoint(97 + (index % 26));
  return index < 26 ? letter : nameAt(Math.floor(index / 26)) + letter;
}

class Random {
  readonly play = new Play();
  #count = 0;

  constructor(contract: Partial<Contract>) {
    this.play.take(create(contract));
  }

  take(next: Move): void {
    const step = this.#withEnd(this.#stepOf(next));
    const asked = step(this.play);
    const refusal = this.play.take(() => asked)?.refusal ?? null;
    if (refusal === null) {
      if (next.kind === "admit") this.#count += 1;
      return;
    }
    const { commands } = PROBLEMS[refusal.code];
    // A reserved code has no commands at all.
    if ("command" in asked && !commands.includes(asked.command.kind))
      throw new Error(`${asked.command.kind} must not be answered ${refusal.code}`);
  }

  #nameOf(index: number): string {
    const names = [...this.play.state.workers.values()].map(({ name }) => name);
    return index === strangerIndex || names.length === 0
      ? nameAt(index)
      : String(names[index % names.length]);
  }

  /** Mostly a running worker, so that trees grow; none while nobody runs. */
  #parentOf(index: number): string | undefined {
    if (index === strangerIndex) return this.#nameOf(index);
    const names = [...this.play.state.workers.values()]
      .filter(({ status }) => status === "running")
      .map(({ name }) => name);
    return names[index % names.length];
  }

  /** A reservation if there is one, else anybody who was ever admitted. */
  #holderOf(index: number): string | undefined {
    const names = [...this.play.state.workers.values()]
      .filter(({ status }) => status === "admitted")
      .map(({ name }) => name);
    if (names.length > 0) return names[index % names.length];
    return this.#count === 0 ? undefined : nameAt(index % this.#count);
  }

  #actorOf({ actor, other }: Move, name: string): Actor {
    if (actor === "self") return self(name);
    if (actor === "other") return self(this.#nameOf(other));
    return actor === "operator" ? OPERATOR : SUPERVISOR;
  }

  /** What the loop looks up: the end of a worker that the state no longer holds. */
  #withEnd(step: Step): Step {
    return (play) => {
      const asked = step(play);
      if ("waitMs" in asked) return asked;
      const { data, kind } = asked.command as { readonly kind: string; readonly data: object };
      const named = data as { readonly worker?: string; readonly parent?: string };
      const manifest = (data as { readonly manifest?: { readonly instance: string } }).manifest;
      const id = kind === "worker.admit" ? named.parent : (named.worker ?? manifest?.instance);
      const lived = play.entries.some((entry) => JSON.stringify(entry.data).includes(`"${id}"`));
      const isGone = typeof id === "string" && !play.state.workers.has(id) && lived;
      return isGone ? { ...asked, ended: id } : asked;
    };
  }

  #stepOf(next: Move): Step {
    const name = this.#nameOf(next.who);
    const worker = idOf(name);
    const by = this.#actorOf(next, name);
    const { amount, flag } = next;
    switch (next.kind) {
      case "admit":
        return this.#admission(next);
      case "register": {
        const holder = this.#holderOf(next.who);
        if (holder === undefined) return tick;
        const changes = amount === 1 ? { depth: next.other } : {};
        return register(holder, changes, { by: this.#actorOf(next, holder) });
      }
      case "checkpoint":
        return ask("worker.checkpoint", { worker, state: { amount } }, { by });
      case "observe":
        return observe(name, {
          silent_ms: amount * 3_000,
          watched_ms: 200_000,
          seen: flag ? "gone" : "alive",
        });
      case "stop":
        return stop(name, { tree: flag, by });
      case "exited":
        return exited(name, flag ? { exit_code: 0, cpu_ms: amount } : { signal: "SIGKILL" });
      case "writeOff":
        return ask("worker.write_off", { worker, reason: "x" });
      case "quarantine":
        return quarantine(name);
      case "unquarantine":
        return unquarantine(name);
      case "note":
        return ask("worker.note", { worker, text: "x" }, { by });
      case "charge":
        return charge(name, flag ? { units: { tokens: amount } } : { cpu_ms: amount }, by);
      case "enact":
        return enact(next.contract);
      case "pause":
        return amount < 4 ? pause : resume;
      case "rotate":
        return amount < 9 ? ask("key.rotate", { key: { ...KEY, key_id: `k${amount}` } }) : tick;
      case "tick":
        return tick;
      case "after":
        return after(next.waitMs);
      case "kill":
        // Seldom, or little else would ever be tried.
        return amount === 7 && flag ? kill : tick;
    }
  }

  #admission(next: Move): Step {
    const { amount, flag, other } = next;
    const under = other === 1 ? undefined : this.#parentOf(other);
    const parent = under === undefined ? {} : { under };
    const budgets = [
      {},
      { cpu_milli: amount },
      { spawns: amount % 5, cpu_ms: amount },
      { units: { tokens: amount }, cpu_milli: 1 + (amount % 9) },
      { lifetime_ms: 1 + amount * 500 },
    ];
    const by = under !== undefined && flag ? self(under) : OPERATOR;
    return admit(nameAt(this.#count), { ...parent, budget: budgets[amount % 5] ?? {}, by });
  }
}

const moves = fc.array(move, { minLength: 20, maxLength: 150, size: "max" });
const contracts = move.map(({ contract }) => contract);

test("[IV1] no sequence of commands and hours breaks an invariant or is decided otherwise", () => {
  fc.assert(
    fc.property(contracts, moves, (contract, all) => {
      const random = new Random({ ...contract, cooldown_ms: 0, max_depth: 5 });
      for (const next of all) random.take(next);
      const { play } = random;
      expect(fold(play.entries)).toBe(encodeState(play.state));
    }),
    { numRuns: 200 },
  );
});

test("[IV2] a state that was written and read back goes on like the one that was not", () => {
  fc.assert(
    fc.property(contracts, moves, fc.nat(100), (contract, all, cut) => {
      const random = new Random({ ...contract, cooldown_ms: 0, max_depth: 5 });
      for (const [index, next] of all.entries()) {
        if (index === cut) {
          const read = decodeState(encodeState(random.play.state));
          if (read === undefined) throw new Error("a written state must be readable");
          random.play.state = read;
        }
        random.take(next);
      }
      expect(fold(random.play.entries)).toBe(encodeState(random.play.state));
    }),
    { numRuns: 50 },
  );
});
