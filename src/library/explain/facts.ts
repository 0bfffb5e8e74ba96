import type { Command } from "../../kernel/command.ts";
import type { Json, JsonObject } from "../../kernel/json.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";
import type { Named } from "./words.ts";

/** A refused command, and what it was decided on. */
export interface RefusedCase {
  readonly refusal: Refusal;
  readonly command: Command;
  /** The state it was decided on, after what time alone had ended. */
  readonly state: State;
  readonly atMs: number;
  readonly named: Named;
}

/** The facts of a refusal, read with care: an older Stint may have recorded fewer. */
export class Facts {
  readonly #facts: JsonObject;

  constructor(facts: JsonObject) {
    this.#facts = facts;
  }

  /** A fact as text; `unknown` where it is missing. */
  text(name: string): string {
    const fact = this.#facts[name];
    if (fact === undefined || fact === null) return "unknown";
    return typeof fact === "string" ? fact : JSON.stringify(fact);
  }

  /** A fact as a number; NaN where it is none. */
  number(name: string): number {
    const fact = this.#facts[name];
    return typeof fact === "number" ? fact : Number.NaN;
  }

  /** A fact as texts; empty where it is missing. */
  list(name: string): readonly string[] {
    const fact: Json | undefined = this.#facts[name];
    if (!Array.isArray(fact)) return fact === undefined ? [] : [this.text(name)];
    return fact.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  }

  /** Whether there is such a fact. */
  has(name: string): boolean {
    return this.#facts[name] !== undefined;
  }
}
