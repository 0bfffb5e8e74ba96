import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { ok } from "../kernel/assert.ts";
import type { KeyRecord } from "../kernel/command.ts";
import { secretBytes } from "./secret.ts";

// Each key has a name of its own, with a version: no key is ever used for two purposes, and a
// later form of manifests or heads begins with a key that signed nothing of an earlier one.
const manifestKeyName = "stint/v1/manifest/hmac-sha256";
const headKeyName = "stint/v1/head/ed25519";
const leaseTokenKeyName = "stint/v1/lease-token/hmac-sha256";
const accessSecretKeyName = "stint/v1/access-secret/hmac-sha256";

const keyBytes = 32;
const signatureBytes = 64;
const keyIdChars = 16;

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** The keys of one secret, and what can be done with them. */
export interface Keys {
  readonly record: KeyRecord;
  /** HMAC-SHA256 with the manifest key, 32 bytes. */
  authenticate(bytes: Uint8Array): Uint8Array;
  /** Ed25519 with the head key, base64url. */
  sign(bytes: Uint8Array): string;
  /** HMAC-SHA256 with the key of lease tokens, 32 bytes. */
  markLease(bytes: Uint8Array): Uint8Array;
  /** HMAC-SHA256 with the key of access tokens' secrets, 32 bytes. */
  markAccess(bytes: Uint8Array): Uint8Array;
}

/**
 * Derives all keys from a secret by HKDF-SHA256 (RFC 5869) without salt. The key id is the first
 * 16 hex digits of SHA-256 over the public key, which like the other keys hangs on the secret
 * alone, so it names them all. Throws as {@link secretBytes}.
 */
export function deriveKeys(secret: string | Uint8Array): Keys {
  const bytes = secretBytes(secret);
  const manifestKey = derive(bytes, manifestKeyName);
  const leaseTokenKey = derive(bytes, leaseTokenKeyName);
  const accessSecretKey = derive(bytes, accessSecretKeyName);
  const seed = derive(bytes, headKeyName);
  const headKey = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  const raw = rawPublicKey(headKey);
  return {
    record: {
      key_id: createHash("sha256").update(raw).digest("hex").slice(0, keyIdChars),
      public_key: raw.toString("base64url"),
    },
    authenticate: (message) => createHmac("sha256", manifestKey).update(message).digest(),
    sign: (message) => sign(null, message, headKey).toString("base64url"),
    markLease: (message) => createHmac("sha256", leaseTokenKey).update(message).digest(),
    markAccess: (message) => createHmac("sha256", accessSecretKey).update(message).digest(),
  };
}

/**
 * Whether `signature` is Ed25519 over `bytes` by `publicKey`, both base64url without padding.
 * Anything malformed is false; so is another spelling of the same bytes.
 */
export function isSignedBy(bytes: Uint8Array, signature: string, publicKey: string): boolean {
  const signed = decodeBase64url(signature, signatureBytes);
  const key = readPublicKey(publicKey);
  return signed !== undefined && key !== undefined && verify(null, bytes, key, signed);
}

function derive(secret: Uint8Array, name: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, new Uint8Array(0), name, keyBytes));
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  ok(typeof x === "string", "an Ed25519 key has its public half as x");
  return Buffer.from(x, "base64url");
}

function readPublicKey(text: string): KeyObject | undefined {
  const raw = decodeBase64url(text, keyBytes);
  if (raw === undefined) return undefined;
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: text };
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    // 32 bytes that are no key.
    return undefined;
  }
}

function decodeBase64url(text: unknown, length: number): Buffer | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === length && bytes.toString("base64url") === text ? bytes : undefined;
}
