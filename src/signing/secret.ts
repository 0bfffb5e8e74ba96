import { randomBytes } from "node:crypto";

/** The least a secret of text may have after trimming: what a person can still copy by hand. */
const textBytesMin = 16;

/** The least a secret of bytes must have: those come from a generator, so no less than a key. */
const rawBytesMin = 32;

/** The most either may have: a whole file taken for a secret is a mistake. */
const secretBytesMax = 4_096;

const generatedBytes = 32;

/** A fresh secret of 256 random bits, as 43 characters of base64url. */
export function generateSecret(): string {
  return randomBytes(generatedBytes).toString("base64url");
}

/**
 * The bytes that keys are derived from: of a text, its UTF-8 without the whitespace around it.
 *
 * Throws a TypeError for another type and a RangeError for a wrong length, each with what was
 * expected and what length came, never with the secret.
 */
export function secretBytes(secret: string | Uint8Array): Uint8Array {
  if (typeof secret === "string") return bytesOfText(secret);
  if (!(secret instanceof Uint8Array)) {
    const got = secret === null ? "null" : typeof secret;
    throw new TypeError(`secret must be a string or a Uint8Array, got ${got}`);
  }
  if (secret.length >= rawBytesMin && secret.length <= secretBytesMax) return secret.slice();
  throw new RangeError(
    `secret must have ${rawBytesMin} to ${secretBytesMax} bytes, got ${secret.length}`,
  );
}

function bytesOfText(secret: string): Uint8Array {
  if (!secret.isWellFormed()) {
    // UTF-8 would write every lone surrogate as the same character: many texts, one key.
    throw new RangeError("secret must be well-formed text, got lone surrogates");
  }
  const bytes = new TextEncoder().encode(secret.trim());
  if (bytes.length >= textBytesMin && bytes.length <= secretBytesMax) return bytes;
  throw new RangeError(
    `secret must have ${textBytesMin} to ${secretBytesMax} bytes of UTF-8 without the whitespace ` +
      `around it, got ${bytes.length}`,
  );
}
