// A kill that could not be journaled has taken the fleet's permit away. It binds all the same: who
// is asked to begin something looks for the permit first, and whoever can journals the kill.

import { isBeginning, type CommandKind } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { refuse, type Refusal } from "../../kernel/refusal.ts";
import { checkAlive } from "../../kernel/fleet/openness.ts";
import { errorText } from "../error-text.ts";
import { refusedAnswer, type RefusedAnswer } from "../refused.ts";
import { demand, type Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";

/** What a fleet's permit is compared with its journal by. */
type Permitted = Pick<Seat, "fleet" | "loop"> & {
  readonly store: Pick<Seat["store"], "permit">;
};

/** Whether the fleet was killed though the journal, as last looked at, does not say so. */
export async function isKilledUnseen({ fleet, store, loop }: Permitted): Promise<boolean> {
  return loop.state().status !== "killed" && !(await store.permit.isGranted(fleet));
}

/**
 * Journals a kill that was carried out when it could not be journaled; of one that is on record,
 * and whose author died before he took the permit away, takes that.
 */
export async function adoptKill(seat: Permitted & Pick<Seat, "owner">): Promise<void> {
  const { fleet, store, loop } = seat;
  const isKilled = loop.state().status === "killed";
  if (isKilled && (await store.permit.isGranted(fleet))) await store.permit.revoke(fleet);
  if (!(await isKilledUnseen(seat))) return;
  const reason = "the fleet was killed: its permit is gone, or its id is among the killed ones";
  await demand(seat, { kind: "fleet.kill", data: { reason } }, seat.owner);
}

/**
 * The refusal of whoever wants to begin something in a fleet without a permit. Null with one, and
 * also where the journal says that the fleet was killed: the rules refuse then, on record.
 */
export async function refusalWithoutPermit(seat: Seat): Promise<RefusedAnswer | null> {
  if (!(await isKilledUnseen(seat))) return null;
  // Only an operator may kill; a worker that joined leaves that to the others.
  if (seat.owner.kind === "operator") {
    const adopted = await settledWithin(adoptKill(seat), LIMITS.killAppendMs, seat.timers);
    if (adopted.kind === "done") return null;
    const why = adopted.kind === "failed" ? errorText(adopted.error) : "it took too long";
    seat.log.warn("a kill could not be journaled yet", { error: why });
  }
  const { fleet } = seat;
  const message = "the fleet must have its permit, it was taken away by a kill";
  return refusedAnswer(refuse("fleet_killed", message, { fleet }));
}

/**
 * The answer to a command that lets somebody begin, or have ground, in a fleet without a permit;
 * null with one, and to any other command.
 */
export async function answerWithoutPermit(
  seat: Seat,
  kind: CommandKind,
): Promise<{ readonly ok: false; readonly seq: number; readonly refusal: Refusal } | null> {
  const killed = isBeginning(kind) ? await refusalWithoutPermit(seat) : null;
  if (killed === null) return null;
  const { code, message, facts } = killed.refusal;
  return { ok: false, seq: seat.loop.head().seq, refusal: { code, message, facts } };
}

/** Why nothing may begin here any more, by journal or permit; null while the fleet lives. */
export async function refusalOfKill(seat: Seat): Promise<RefusedAnswer | null> {
  const without = await refusalWithoutPermit(seat);
  if (without !== null) return without;
  const killed = checkAlive(await seat.loop.look());
  return killed === null ? null : refusedAnswer(killed);
}
