import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import { canonicalCopy } from "../canonical.ts";
import type { Answer } from "../loop.ts";
import { withoutVerdicts } from "./recorded-command.ts";

/** A command that waits for its decision. */
export interface Pending {
  readonly id: string;
  readonly actor: Actor;
  readonly command: Command;
  /** Whether a decision under its id may exist already, so that the journal has to be asked. */
  mayBeKnown: boolean;
  settle(answer: Answer): void;
  fail(error: unknown): void;
}

/** A pending command, and the promise of its answer. */
export interface Waiting {
  readonly pending: Pending;
  readonly answer: Promise<Answer>;
}

/**
 * Makes a command pending, as a copy: what its caller does with the original afterwards changes
 * nothing. Anything but JSON is a bug of the caller.
 */
export function makePending(
  command: Command,
  by: Actor,
  so: { readonly id: string; readonly mayBeKnown: boolean },
): Waiting {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const pending: Pending = {
    ...so,
    actor: canonicalCopy(by),
    command: canonicalCopy(withoutVerdicts(command)),
    settle: resolve,
    fail: reject,
  };
  return { pending, answer: promise };
}
