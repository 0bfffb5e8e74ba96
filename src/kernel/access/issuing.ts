import type { CommandMap } from "../command.ts";
import { deny, findLive, grant, type Ruling } from "../decision.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { writeInstant } from "../time/instant.ts";
import type { AccessToken } from "./token.ts";
import { findByHash, isTokenLiveAt } from "./tokens.ts";

/** When it is decided, and what the store's index knows of ids the state has dropped. */
interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

/**
 * Decides `token.issue`. A paused or killed fleet issues tokens too: it must stay readable, and
 * what a bearer asks for is decided as anybody's.
 */
export function decideIssue(state: State, request: CommandMap["token.issue"], now: Now): Ruling {
  const { lifetime_ms, ...asked } = request;
  const taken = checkNew(state, asked, now);
  if (taken !== null) return { ok: false, refusal: taken };
  if (asked.worker !== undefined) {
    const found = findLive(state, asked.worker, now.ended);
    if (!found.ok) return found;
  }
  const live = [...state.access.values()].filter((token) => isTokenLiveAt(token, now.atMs));
  if (live.length >= LIMITS.tokensMax)
    return deny("tokens_full", `at most ${LIMITS.tokensMax} tokens must live, so many do`, {
      limit: LIMITS.tokensMax,
      live: live.length,
    });
  const expires_at_ms = now.atMs + lifetime_ms;
  return grant({ kind: "token.issued", data: { ...asked, expires_at_ms } });
}

/** Decides `token.exchange`: a login code is good for one token, whoever comes first. */
export function decideExchange(
  state: State,
  { token: id, into }: CommandMap["token.exchange"],
  now: Now,
): Ruling {
  const found = findToken(state, id, now);
  if (!found.ok) return found;
  const { role, label, once } = found.token;
  if (once !== true)
    return deny("token_ended", `token ${id} must be a login code, it is no such one`, {
      token: id,
    });
  const taken = checkNew(state, into, now);
  if (taken !== null) return { ok: false, refusal: taken };
  const { token, hash, lifetime_ms } = into;
  const expires_at_ms = now.atMs + lifetime_ms;
  const next = { token, role, hash, expires_at_ms, ...(label === undefined ? {} : { label }) };
  return grant({ kind: "token.exchanged", data: { token: id, into: next } });
}

/** Decides `token.revoke`: from its entry on the token is none. */
export function decideRevokeToken(
  state: State,
  { token }: CommandMap["token.revoke"],
  now: Now,
): Ruling {
  const found = findToken(state, token, now);
  return found.ok ? grant({ kind: "token.revoked", data: { token } }) : found;
}

type Found =
  | { readonly ok: true; readonly token: AccessToken }
  | { readonly ok: false; readonly refusal: Refusal };

function findToken(state: State, id: string, { atMs, ended }: Now): Found {
  const token = state.access.get(id);
  if (token !== undefined && isTokenLiveAt(token, atMs)) return { ok: true, token };
  const facts =
    token === undefined ? { token: id } : { token: id, expires_at_ms: token.expires_at_ms };
  if (token === undefined && ended !== id) {
    const message = `a token must be named, none has the id ${id}`;
    return { ok: false, refusal: refuse("token_unknown", message, facts) };
  }
  const end =
    token === undefined
      ? "it was spent or revoked, or has expired"
      : `it expired at ${writeInstant(token.expires_at_ms)}`;
  const message = `token ${id} must be good still, ${end}`;
  return { ok: false, refusal: refuse("token_ended", message, facts) };
}

/** Ids and hashes are each one token's, for good: two secrets of one hash were one secret. */
function checkNew(
  state: State,
  { token, hash }: Pick<AccessToken, "token" | "hash">,
  { ended }: Now,
): Refusal | null {
  const message = `a token must have an id and a secret of its own, those of ${token} are taken`;
  const isTaken =
    state.access.has(token) || ended === token || findByHash(state, hash) !== undefined;
  return isTaken ? refuse("token_taken", message, { token }) : null;
}
