import type { Entry } from "../entry.ts";
import type { OrderedMap } from "../ordered-map.ts";
import type { State } from "../state.ts";
import type { AccessToken } from "./token.ts";

/** An entry about access tokens. */
export type AccessEntry = Extract<Entry, { readonly kind: `token.${string}` }>;

/** Whether a token is one at a journal time: at the instant of its end it is none any more. */
export function isTokenLiveAt({ expires_at_ms }: AccessToken, atMs: number): boolean {
  return atMs < expires_at_ms;
}

/**
 * The token of a secret, by the secret's SHA-256 (lowercase hex); undefined where nobody has it. It
 * may have expired: whoever asks compares `expires_at_ms` with its clock. A login code is found
 * too, and opens nothing but its exchange.
 */
export function findByHash(
  { access }: Pick<State, "access">,
  hash: string,
): AccessToken | undefined {
  for (const token of access.values()) if (token.hash === hash) return token;
  return undefined;
}

/** The state after an entry about access tokens; those that have expired are dropped by it. */
export function evolveAccess(state: State, entry: AccessEntry): State {
  const { at_ms } = entry;
  let access = state.access;
  for (const [id, token] of access) if (!isTokenLiveAt(token, at_ms)) access = access.delete(id);
  return { ...state, access: changed(access, entry) };
}

function changed(access: OrderedMap<AccessToken>, entry: AccessEntry): OrderedMap<AccessToken> {
  const { at_ms: issued_at_ms } = entry;
  switch (entry.kind) {
    case "token.issued":
      return access.set(entry.data.token, { ...entry.data, issued_at_ms });
    case "token.exchanged": {
      const { token, into } = entry.data;
      return access.delete(token).set(into.token, { ...into, issued_at_ms });
    }
    case "token.revoked":
      return access.delete(entry.data.token);
  }
}

/** The state without the tokens of a worker that has ended: they speak for nobody. */
export function withoutTokensOf(state: State, worker: string): State {
  let { access } = state;
  for (const [id, token] of access) if (token.worker === worker) access = access.delete(id);
  return access === state.access ? state : { ...state, access };
}
