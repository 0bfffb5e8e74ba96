import type { AccessToken } from "../../kernel/access/token.ts";
import type { State } from "../../kernel/state.ts";
import type { TokenDocument, TokensDocument } from "../../protocol/document/access.ts";

/** A token without its hash. */
export function tokenDocument(token: AccessToken): TokenDocument {
  const { hash: _hash, ...shown } = token;
  return shown;
}

/** The tokens that are live at an instant, by id. */
export function listTokens({ access, seq }: State, atMs: number): TokensDocument {
  const live = [...access.values()].filter(({ expires_at_ms }) => atMs < expires_at_ms);
  return { tokens: live.map(tokenDocument), seq };
}
