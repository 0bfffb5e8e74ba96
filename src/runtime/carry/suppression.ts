import type { Command } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Limited } from "./rate-limit.ts";
import type { Timers } from "../timers.ts";

/** A command that tells the journal how many refusals it was not told of. */
export type SuppressCommand = Command<"refusals.suppress">;

/**
 * Counts refusals that are not journaled, by actor, and hands over the count when the actor's
 * window is over. In memory only: a count is lost with its process.
 */
export class Suppression {
  readonly #timers: Timers;
  readonly #submit: (command: SuppressCommand) => void;
  readonly #counted = new Map<string, { count: number; readonly cancel: () => void }>();

  /** `submit` is called later, from a timer. */
  constructor(timers: Timers, submit: (command: SuppressCommand) => void) {
    this.#timers = timers;
    this.#submit = submit;
  }

  /** Counts one refusal of a limited actor. */
  count({ actorKey, retryAfterMs }: Limited): void {
    const known = this.#counted.get(actorKey);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const cancel = this.#timers.after(retryAfterMs, () => {
      for (const command of this.#take(actorKey)) this.#submit(command);
    });
    this.#counted.set(actorKey, { count: 1, cancel });
  }

  /** Takes all counts, as commands, and cancels their timers. */
  takeAll(): readonly SuppressCommand[] {
    return [...this.#counted.keys()].flatMap((key) => this.#take(key));
  }

  #take(actorKey: string): readonly SuppressCommand[] {
    const counted = this.#counted.get(actorKey);
    if (counted === undefined) return [];
    counted.cancel();
    this.#counted.delete(actorKey);
    const window_ms = LIMITS.refusalWindowMs;
    const data = { actor_key: actorKey, count: counted.count, window_ms };
    return [{ kind: "refusals.suppress", data }];
  }
}
