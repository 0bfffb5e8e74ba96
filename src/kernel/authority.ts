import type { Actor } from "./actor.ts";
import type { Command, CommandMap } from "./command.ts";
import type { Claim, Holder } from "./lease/lease.ts";
import { refuse, type Refusal } from "./refusal.ts";

/** Who may give a command: by role, or the one worker that it is about. */
interface Authority {
  readonly roles: readonly Actor["kind"][];
  /** The worker that may give it for itself, if any. */
  readonly self?: string | null;
}

const OPERATOR = ["operator"] as const;
const OBSERVERS = ["operator", "supervisor", "system"] as const;

function authorityOver(command: Command): Authority {
  switch (command.kind) {
    case "worker.admit":
      return { roles: OPERATOR, self: command.data.parent };
    case "worker.register":
      return { roles: ["operator", "supervisor"], self: command.data.manifest?.instance ?? null };
    case "worker.checkpoint":
      return { roles: OPERATOR, self: command.data.worker };
    case "worker.stop":
      return { roles: OPERATOR, self: ownStop(command.data) };
    case "worker.note":
    case "budget.charge":
      return { roles: ["operator", "supervisor"], self: command.data.worker };
    case "worker.observe":
    case "worker.exited":
    case "clock.tick":
    case "refusals.suppress":
    case "journal.sign":
    case "receipt.record":
      return { roles: OBSERVERS };
    case "lease.acquire":
      return { roles: OPERATOR, self: workerIn(command.data.holder) };
    case "lease.renew":
    case "lease.release":
    case "lease.narrow":
    case "lease.split":
    case "place.keep":
    case "place.leave":
      return { roles: OPERATOR, self: workerIn(command.data.claim) };
    case "lease.hand_over":
      return { roles: OPERATOR, self: giverOf(command.data) };
    case "lane.announce":
      return { roles: ["operator", "supervisor", "system"], self: command.data.holder };
    // Not even an operator may say what was measured: he has orders of his own to give.
    case "worker.hit_limit":
    case "lease.mount":
    case "lease.fence":
    case "condition.trip":
    case "condition.fail":
    case "armed.check":
    case "roll.observe":
    case "roll.forget":
      return { roles: ["supervisor"] };
    case "halt.request":
      return { roles: ["operator", "supervisor", "worker", "system"] };
    // A door on the network takes a login code and gives a token, without anybody's credential.
    case "token.exchange":
      return { roles: ["operator", "system"] };
    case "fleet.create":
    case "fleet.pause":
    case "fleet.resume":
    case "fleet.kill":
    case "fleet.recover":
    case "contract.enact":
    case "key.rotate":
    case "clock.accept":
    case "lanes.enact":
    case "lease.revoke":
    case "place.cancel":
    case "worker.write_off":
    case "worker.quarantine":
    case "worker.unquarantine":
    case "roster.enact":
    case "control.request":
    case "service.note":
    case "token.issue":
    case "token.revoke":
      return { roles: OPERATOR };
  }
}

function workerIn(holder: Holder | Claim): string | null {
  return "worker" in holder ? holder.worker : null;
}

/**
 * A worker hands over what is its own, and takes over what is left by the dead. Not to an outside
 * party: nobody vouches for the token that it would name.
 */
function giverOf({ claim, orphan, to }: CommandMap["lease.hand_over"]): string | null {
  if (!("worker" in to)) return null;
  return workerIn(orphan === true ? to : (claim ?? {}));
}

/** A worker may end itself, for reasons that are its own to know; never its descendants. */
function ownStop(request: CommandMap["worker.stop"]): string | null {
  const own = ["completed", "failed", "requested"].includes(request.reason);
  return own && !request.tree ? request.worker : null;
}

/**
 * Refuses a command that its actor may not give: nobody acts for another instance but an operator,
 * and the supervisor for what it observes (I9).
 */
export function checkAuthority(actor: Actor, command: Command): Refusal | null {
  const { roles, self } = authorityOver(command);
  if (roles.includes(actor.kind)) return null;
  if (command.kind === "worker.register" && command.data.manifest === null) return null;
  if (actor.kind === "worker" && typeof self === "string" && actor.id === self) return null;
  const expected = [...roles, ...(typeof self === "string" ? [`worker ${self}`] : [])];
  const got = actor.id === undefined ? actor.kind : `${actor.kind} ${actor.id}`;
  return refuse(
    "not_authorised",
    `${command.kind} must come from ${expected.join(" or ")}, got ${got}`,
    { command: command.kind, expected, got },
  );
}
