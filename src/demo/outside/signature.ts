// A receipt's signature, checked without any other code of Stint, so that it can contradict it.

import { createHash, createPublicKey, verify } from "node:crypto";

/**
 * Whether a receipt in the form of the journal is signed by an Ed25519 key (base64url), its list of
 * workers with it: the signature is over the canonical form (RFC 8785) of all else.
 */
export function isSignedBy(receipt: Readonly<Record<string, unknown>>, publicKey: string): boolean {
  const { workers, signature, ...statement } = receipt;
  if (typeof signature !== "string") return false;
  const listed = createHash("sha256").update(canonicalBytes(workers)).digest("hex");
  if (listed !== statement["workers_hash"]) return false;
  try {
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: publicKey },
      format: "jwk",
    });
    return verify(null, canonicalBytes(statement), key, Buffer.from(signature, "base64url"));
  } catch {
    // What is no key at all has signed nothing.
    return false;
  }
}

function canonicalBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value ?? null, (_, it: unknown) => inOrder(it)));
}

function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
