import * as fc from "fast-check";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import type { Answer, Loop } from "../../src/runtime/loop.ts";
import {
  admit,
  idOf,
  lettersOf,
  OPERATOR,
  PAUSE,
  register,
  RESUME,
  SUPERVISOR,
  TICK,
  type Rig,
} from "./rig.ts";

const names = ["a", "b", "c"];

/** One thing that happens: a command under an abbreviation, or time that passes. */
export interface Happening {
  readonly verb: (typeof verbs)[number];
  readonly name: string;
  readonly other: string;
  readonly amount: number;
}

const verbs = [
  ...(["admit", "admit", "admit", "spawn", "spawn", "spawn", "spawn", "spawn"] as const),
  ...(["exit", "exit", "wait", "wait", "resume", "resume", "pause"] as const),
  ...(["register", "stop", "tree", "quarantine", "lift", "note", "checkpoint"] as const),
  ...(["charge", "observe", "tick"] as const),
] as const;

/** Random scripts of up to `lengthMax` steps. */
export function scripts(lengthMax: number): fc.Arbitrary<readonly Happening[]> {
  const name = fc.constantFrom(...names);
  const amount = fc.integer({ min: 0, max: 20_000 });
  const step = fc.record({ verb: fc.constantFrom(...verbs), name, other: name, amount });
  return fc.array(step, { maxLength: lengthMax, minLength: Math.ceil(lengthMax / 3), size: "max" });
}

/** Plays a script, each step in its own turn; answers what was said to each command. */
export async function play(
  rig: Rig,
  loop: Loop,
  script: readonly Happening[],
): Promise<readonly Answer[]> {
  const cast = new Cast(loop.state().total_count);
  const answers: Answer[] = [];
  for (const step of script) {
    if (step.verb === "wait") rig.clock.advance(step.amount);
    for (const { command, by } of cast.speak(step)) {
      const answer = await loop.submit(command, by);
      answers.push(answer);
      cast.hear(step, answer);
    }
  }
  return answers;
}

interface Line {
  readonly command: Command;
  readonly by: Actor;
}

/** Who a script's names stand for: the worker that was admitted under a name last. */
class Cast {
  readonly #manifests = new Map<string, Manifest>();
  #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  /** What is said at a step, one line after another; the next depends on what was heard. */
  *speak(step: Happening): Generator<Line, void, undefined> {
    const command = this.#commandFor(step);
    if (command === undefined) return;
    yield { command, by: this.#speaker(step) };
    if (command.kind !== "worker.admit") return;
    // Most are taken up at once: of reservations alone not much can be told.
    const manifest = this.#manifests.get(step.name);
    const isTaken = step.amount % 4 > 0 && manifest?.instance === command.data.instance;
    if (isTaken) yield { command: register(manifest), by: OPERATOR };
  }

  hear({ name }: Happening, answer: Answer): void {
    for (const entry of answer.ok ? answer.entries : [])
      if (entry.kind === "worker.admitted") this.#manifests.set(name, entry.data.manifest);
  }

  #idOf(name: string): string {
    return this.#manifests.get(name)?.instance ?? idOf(name);
  }

  #speaker({ verb, other }: Happening): Actor {
    if (verb === "spawn") return { kind: "worker", id: this.#idOf(other), via: "socket" };
    return verb === "exit" || verb === "observe" || verb === "charge" ? SUPERVISOR : OPERATOR;
  }

  #commandFor({ verb, name, other, amount }: Happening): Command | undefined {
    const manifest = this.#manifests.get(name);
    if (verb === "register") return manifest === undefined ? undefined : register(manifest);
    if (verb === "admit")
      return this.#admission(name, { budget: { units: { tokens: 2 * amount, cents: 2 } } });
    if (verb === "spawn") {
      const state = { step: amount, z: { b: 1, a: [null] } };
      return this.#admission(name, { parent: this.#idOf(other), state });
    }
    return verb === "wait" ? undefined : COMMANDS[verb](this.#idOf(name), amount);
  }

  #admission(name: string, more: Partial<CommandMap["worker.admit"]>): Command {
    this.#count += 1;
    return admit(name, { ...more, instance: idOf(`n${lettersOf(this.#count)}`) });
  }
}

type Verb = Exclude<Happening["verb"], "admit" | "spawn" | "register" | "wait">;

/** What is asked about a worker, by abbreviation. */
const COMMANDS: Readonly<Record<Verb, (worker: string, amount: number) => Command>> = {
  stop: (worker) => stopping(worker, false),
  tree: (worker) => stopping(worker, true),
  exit: (worker, amount) => {
    const evidence = { grade: "observed", facts: {} } as const;
    return { kind: "worker.exited", data: { worker, evidence, outcome: { cpu_ms: amount } } };
  },
  quarantine: (worker) => {
    const data = { worker, reason: "odd", source: "test", severity: "low" } as const;
    return { kind: "worker.quarantine", data };
  },
  lift: (worker) => ({ kind: "worker.unquarantine", data: { worker, resolution: "fine" } }),
  note: (worker) => ({ kind: "worker.note", data: { worker, text: "seen" } }),
  checkpoint: (worker, amount) => ({
    kind: "worker.checkpoint",
    data: { worker, state: { amount, "": "ä" } },
  }),
  charge: (worker, amount) => ({
    kind: "budget.charge",
    data: { worker, amounts: { units: { tokens: amount } } },
  }),
  observe: (worker, amount) => ({
    kind: "worker.observe",
    data: { worker, beat_count: 1, silent_ms: amount, watched_ms: amount, seen: "alive" },
  }),
  tick: () => TICK,
  pause: () => PAUSE,
  resume: () => RESUME,
};

function stopping(worker: string, tree: boolean): Command {
  return { kind: "worker.stop", data: { worker, reason: "requested", tree } };
}
