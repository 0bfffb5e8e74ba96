import type { Actor } from "../kernel/actor.ts";
import type { Command } from "../kernel/command.ts";
import type { Entry } from "../kernel/entry.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { State } from "../kernel/state.ts";
import type { Head } from "../ports/journal.ts";
import type { Signer } from "../ports/signer.ts";

/** What became of a submitted command. `seq` is the newest entry of the decision, or the head. */
export type Answer =
  | { readonly ok: true; readonly seq: number; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** How a command is submitted. */
export interface SubmitOptions {
  /** Repeat a submission under the same id and the first decision is answered; default: fresh. */
  readonly id?: string;
  /**
   * The token whose hash the command's claim has: another process that is to decide it is shown
   * the token itself. Never written.
   */
  readonly token?: string;
  /**
   * Of `place.keep`: how long to hold it back until it may be its turn, ms. Then it is decided in
   * any case.
   */
  readonly turnMs?: number;
  /** Gives that waiting up: the signal's reason is thrown, and nothing was submitted. */
  readonly signal?: AbortSignal;
}

/**
 * The one loop that carries every command: look, decide, append at the expected head, look again
 * if somebody wrote first.
 */
export interface Loop {
  /** Submits a command; resolves when its decision is durable. Throws only `Fault`s. */
  submit(command: Command, by: Actor, options?: SubmitOptions): Promise<Answer>;
  /** The state at the last look; may lag behind what other processes wrote. */
  state(): State;
  /** The newest entry that `state` includes. */
  head(): Head;
  /**
   * The journal time at the last append that this loop tried, also one that had nothing to write;
   * undefined before the first.
   */
  timeMs(): number | undefined;
  /** Catches up with the journal, then answers the state. */
  look(): Promise<State>;
  /** Calls `listener` with every entry once, in order, from now on. Returns how to stop it. */
  onEntry(listener: (entry: Entry) => void): () => void;
  /** Signs with another key from now on: the one that a `key.rotate` puts in force. */
  useSigner(signer: Signer): void;
  /** Stops the loop; the journal stays open, it belongs to who opened it. Safe to call twice. */
  close(): Promise<void>;
}
