import type { Claim, Holder } from "../../kernel/lease/lease.ts";
import { InputError, isPlainObject } from "../../protocol/input.ts";
import { sha256Of } from "../../runtime/canonical.ts";

/** A command in the journal's words, and the token that its giver showed, if any. */
export interface Shown {
  readonly given: unknown;
  readonly token?: string;
}

/**
 * Takes the token out of a command that comes from outside, `data.claim.token`, and has the hash
 * put in its place. A hash is not taken instead: it stands in the journal, for all who read that,
 * so it shows nothing. What is otherwise wrong with the command is left for its parser. Throws an
 * InputError, which never says what the token was.
 */
export function hashShownToken(given: unknown): Shown {
  if (!isPlainObject(given) || !isPlainObject(given["data"])) return { given };
  const { data } = given;
  const { claim } = data;
  if (!isPlainObject(claim)) return { given };
  const path = `${String(given["kind"])}.claim`;
  if (Object.hasOwn(claim, "token_hash")) {
    const expected = "absent (the token itself is shown, as claim.token)";
    throw wrong(`${path}.token_hash`, expected, "a hash");
  }
  if (!Object.hasOwn(claim, "token")) return { given };
  const { token, ...others } = claim;
  if (typeof token !== "string") throw wrong(`${path}.token`, "a text", "something else");
  if (Object.hasOwn(claim, "worker"))
    throw wrong(`${path}.token`, "absent where a worker is named", "a token");
  const hashed = { ...others, token_hash: tokenHash(token) };
  return { given: { ...given, data: { ...data, claim: hashed } }, token };
}

/** What the journal has of a token that was shown: SHA-256 over its text, lowercase hex. */
export function tokenHash(token: string): string {
  return sha256Of(token.toWellFormed());
}

/** What somebody says who holds a lease under a token. */
export function claimOf(holder: Holder, token: string | null): Claim {
  if ("worker" in holder) return { worker: holder.worker };
  return token === null
    ? { name: holder.name }
    : { name: holder.name, token_hash: tokenHash(token) };
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
