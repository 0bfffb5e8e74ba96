import { decide } from "../kernel/decide.ts";
import type { Rules } from "./carry/batch.ts";
import { openLoopBy, type RuledLoopOptions } from "./journal-loop.ts";
import type { Loop } from "./loop.ts";

/** What a loop is opened on; everything in it stays its caller's. */
export interface LoopOptions extends Omit<RuledLoopOptions, "rules"> {
  /** The rules; default: those of the kernel. A simulator breaks them on purpose. */
  readonly rules?: Rules;
}

/**
 * Opens the loop on a journal: finds its state, by a snapshot that a signed head vouches for where
 * there is one, and follows it from there.
 *
 * Throws `Fault` `key_mismatch` when the fleet has another key than the signer, and `journal_*`.
 */
export async function openLoop(options: LoopOptions): Promise<Loop> {
  return openLoopBy({ rules: decide, ...options });
}
