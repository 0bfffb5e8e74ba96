import type { AccessToken, TokenRole } from "../../kernel/access/token.ts";
import type { Actor } from "../../kernel/actor.ts";

/** Who asks, as its token says. */
export interface Caller {
  readonly token: AccessToken;
  readonly role: TokenRole;
  /** As the journal names it. */
  readonly actor: Actor;
}

/** The caller that a token stands for, on this host. */
export function callerOf(token: AccessToken, host: string): Caller {
  return { token, role: token.role, actor: actorOf(token, host) };
}

/**
 * A worker's token acts as that worker, which the rules bound; whoever else has one acts as an
 * operator by the token's id: which of its commands are taken at all the table of routes says.
 */
function actorOf({ role, worker, token }: AccessToken, host: string): Actor {
  if (role === "worker") return { kind: "worker", id: worker ?? "", via: "http", host };
  return { kind: "operator", id: token, via: "http", host };
}

/** Who asks, on a route that is nobody's without a token. */
export function mustBear(caller: Caller | undefined): Caller {
  if (caller !== undefined) return caller;
  // The table of routes says otherwise, and the guard keeps to it.
  throw new TypeError("this route must have a caller, it has none");
}
