import { partyOf, refusalKey } from "../../kernel/actor.ts";
import type { CommandKind, Submission } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { refuse, type Refusal } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";

/** An actor whose refusals have filled its window: further ones are not journaled. */
export interface Limited {
  readonly actorKey: string;
  /** How long its window still lasts, ms of journal time. */
  readonly retryAfterMs: number;
}

/** Whether an actor has used up the refusals of its window by `atMs`; null if not. */
export function limitedBy(state: State, submission: Submission, atMs: number): Limited | null {
  const { actor, command } = submission;
  const key = refusalKey(actor, partyOf(actor, command));
  const window = state.refusals.get(key);
  if (window === undefined || window.count < state.contract.refusals_per_minute) return null;
  const retryAfterMs = window.started_at_ms + LIMITS.refusalWindowMs - atMs;
  return retryAfterMs > 0 ? { actorKey: key, retryAfterMs } : null;
}

/** What stops something, records what has happened, or keeps the record itself. */
const ALWAYS_DECIDED: Readonly<Record<CommandKind, boolean>> = {
  "fleet.create": false,
  "fleet.pause": true,
  "fleet.resume": false,
  "fleet.kill": true,
  "fleet.recover": true,
  "contract.enact": false,
  "key.rotate": false,
  "worker.admit": false,
  "worker.register": false,
  "worker.checkpoint": false,
  "worker.observe": true,
  "worker.stop": true,
  "worker.exited": true,
  "worker.hit_limit": true,
  "worker.write_off": true,
  "worker.quarantine": true,
  "worker.unquarantine": false,
  "worker.note": false,
  // A meter's word; a worker's own is only a claim, see below.
  "budget.charge": true,
  "lanes.enact": false,
  "lane.announce": false,
  "lease.acquire": false,
  // What a holder has, it can keep and give back, however often it was refused.
  "lease.renew": true,
  "lease.release": true,
  "lease.narrow": true,
  "lease.split": false,
  "lease.hand_over": false,
  "lease.revoke": true,
  // Who waits has been let wait, and may leave.
  "place.keep": true,
  "place.leave": true,
  "place.cancel": true,
  "lease.mount": true,
  "lease.fence": true,
  "condition.trip": true,
  "condition.fail": true,
  "armed.check": true,
  "roster.enact": false,
  "roll.observe": true,
  "roll.forget": true,
  "control.request": false,
  "service.note": true,
  "token.issue": false,
  // Whoever has a code was let in; whoever spent many that were none keeps nobody out.
  "token.exchange": true,
  "token.revoke": true,
  "halt.request": true,
  "clock.tick": true,
  "clock.accept": true,
  "refusals.suppress": true,
  "journal.sign": true,
  "receipt.record": true,
};

/**
 * Whether a command is decided even for an actor that is limited. Only its refusals are then not
 * journaled.
 */
export function isAlwaysDecided({ actor, command }: Submission): boolean {
  if (command.kind === "budget.charge" && actor.kind === "worker") return false;
  return ALWAYS_DECIDED[command.kind];
}

/** The answer to a command of a limited actor that is not decided at all. */
export function refuseLimited(state: State, limited: Limited): Refusal {
  const { actorKey: actor, retryAfterMs } = limited;
  const { refusals_per_minute: max } = state.contract;
  const count = state.refusals.get(actor)?.count ?? max;
  return refuse(
    "rate_limited",
    `${actor} may be refused at most ${max} times in ${LIMITS.refusalWindowMs} ms, ` +
      `its count is ${count}: try again in ${retryAfterMs} ms`,
    { actor, max, window_ms: LIMITS.refusalWindowMs, retry_after_ms: retryAfterMs },
  );
}
