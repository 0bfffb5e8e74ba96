import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import { errorText } from "../../library/error-text.ts";
import type { Seat } from "../../library/seat.ts";
import { InputError } from "../../protocol/input.ts";
import type { Answer } from "../../runtime/loop.ts";

/** How long a request may be held back for its turn, ms: its asker is to show that it is there. */
export const TURN_MS_MAX = 10_000;

/** How a command came: whoever hangs up waits for its turn no longer. */
export interface Asked {
  readonly id: string;
  readonly by: Actor;
  /** `turn_ms` as it was given; undefined where it was not. */
  readonly turn: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Submits a command; `place.keep` when it may be its turn, or after the time that was asked for.
 * The place of whoever has hung up meanwhile is left: nobody else could know that it is empty.
 */
export async function submitInTurn(
  { loop, log }: Pick<Seat, "loop" | "log">,
  command: Command,
  { id, by, turn, signal }: Asked,
): Promise<Answer> {
  const turnMs = turnMsOf(turn);
  if (turnMs === 0 || command.kind !== "place.keep") return loop.submit(command, by, { id });
  try {
    return await loop.submit(command, by, { id, turnMs, signal });
  } catch (error) {
    if (signal.aborted)
      loop.submit({ kind: "place.leave", data: command.data }, by).catch((failed: unknown) => {
        // It lapses by itself.
        log.warn("a place could not be left", { error: errorText(failed) });
      });
    throw error;
  }
}

function turnMsOf(text = "0"): number {
  const ms = Number(text);
  if (/^\d{1,6}$/.test(text) && ms <= TURN_MS_MAX) return ms;
  const expected = `a number of ms up to ${TURN_MS_MAX}`;
  throw new InputError("usage", [{ path: "turn_ms", expected, got: text.slice(0, 32) }]);
}
