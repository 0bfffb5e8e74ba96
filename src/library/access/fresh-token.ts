import { createHash, randomBytes } from "node:crypto";
import { base32 } from "../../runtime/base32.ts";

const secretBytes = 32;
const idBytes = 10;

/** A token that nobody has yet: its id, what its bearer shows, and the hash of that. */
export interface FreshToken {
  readonly token: string;
  readonly secret: string;
  readonly hash: string;
}

/** Makes a token: 256 random bits, written so that a scanner for leaked secrets knows it. */
export function freshToken(): FreshToken {
  const secret = `stint_${randomBytes(secretBytes).toString("base64url")}`;
  return { token: `t-${base32(randomBytes(idBytes))}`, secret, hash: hashSecret(secret) };
}

/** What is kept of a secret: SHA-256, lowercase hex; too many bits to be guessed from that. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
