import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import type { Claim, Holder } from "../../kernel/lease/lease.ts";
import { errorText } from "../../library/error-text.ts";
import { placeIn } from "../../library/queue/in-line.ts";
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
 * Submits a command. `place.keep` is held back until it may be its turn, or for as long as was
 * asked for; the answer to an acquisition that is given a place so long, too, for the lease that
 * the place may come to. The place of whoever has hung up meanwhile is left: nobody else could know
 * that it is empty.
 */
export async function submitInTurn(
  seat: Carrying,
  command: Command,
  asked: Asked,
): Promise<Answer> {
  const turnMs = turnMsOf(asked.turn);
  const { loop } = seat;
  const { id, by } = asked;
  if (turnMs > 0 && command.kind === "place.keep") return keep(seat, command, { ...asked, turnMs });
  const answer = await loop.submit(command, by, { id });
  const place = turnMs > 0 && answer.ok ? placeIn(answer.entries) : undefined;
  if (!answer.ok || place === undefined || command.kind !== "lease.acquire") return answer;
  const data = { place, claim: claimOf(command.data.holder) };
  const kept = await keep(seat, { kind: "place.keep", data }, { ...asked, id: undefined, turnMs });
  // A refusal is told to whoever asks in the place itself, with what it is refused.
  if (!kept.ok) return answer;
  return { ok: true, seq: kept.seq, entries: [...answer.entries, ...kept.entries] };
}

type Carrying = Pick<Seat, "loop" | "log">;

async function keep(
  { loop, log }: Carrying,
  command: Command<"place.keep">,
  so: Omit<Asked, "id" | "turn"> & { readonly id: string | undefined; readonly turnMs: number },
): Promise<Answer> {
  const { id, by, signal, turnMs } = so;
  try {
    return await loop.submit(command, by, { turnMs, signal, ...(id === undefined ? {} : { id }) });
  } catch (error) {
    if (signal.aborted)
      loop.submit({ kind: "place.leave", data: command.data }, by).catch((failed: unknown) => {
        // It lapses by itself.
        log.warn("a place could not be left", { error: errorText(failed) });
      });
    throw error;
  }
}

/** What a holder says to be: whoever may ask in its name may act on the place that it is given. */
function claimOf(holder: Holder): Claim {
  if ("worker" in holder) return holder;
  return { name: holder.name, token_hash: holder.token_hash };
}

function turnMsOf(text = "0"): number {
  const ms = Number(text);
  if (/^\d{1,6}$/.test(text) && ms <= TURN_MS_MAX) return ms;
  const expected = `a number of ms up to ${TURN_MS_MAX}`;
  throw new InputError("usage", [{ path: "turn_ms", expected, got: text.slice(0, 32) }]);
}
