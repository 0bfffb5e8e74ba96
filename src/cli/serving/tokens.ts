import type { AccessToken } from "../../kernel/access/token.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { agoText, durationText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";

/** The tokens that are live at an instant, by id. */
export function liveTokens(tokens: Iterable<AccessToken>, atMs: number): readonly AccessToken[] {
  return [...tokens].filter(({ expires_at_ms }) => atMs < expires_at_ms);
}

/** A token for programs: all of it but its hash. */
export function tokenData(token: AccessToken): JsonObject {
  const { hash: _hash, ...shown } = token;
  return { ...shown };
}

/** Tokens for people, with what each is bound to. */
export function tokensText(tokens: readonly AccessToken[], nowMs: number): string {
  if (tokens.length === 0) return "no token is live";
  return tableText({
    rows: tokens,
    columns: [
      { head: "ID", cell: ({ token }) => token },
      { head: "ROLE", cell: ({ role, once }) => (once === true ? `${role}, login code` : role) },
      { head: "FOR", cell: ({ service, worker }) => plainText(service ?? worker ?? "") },
      { head: "LABEL", cell: ({ label }) => plainText(label ?? "") },
      { head: "ISSUED", cell: ({ issued_at_ms }) => agoText(issued_at_ms, nowMs) },
      { head: "FOR ANOTHER", cell: ({ expires_at_ms }) => durationText(expires_at_ms - nowMs) },
    ],
  });
}
