import { timingSafeEqual } from "node:crypto";
import { ok } from "../kernel/assert.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import type { CheckedManifest, Envelope, Signer } from "../ports/signer.ts";
import {
  closeEnvelope,
  encodeForSigning,
  isManifestType,
  openEnvelope,
  PAYLOAD_TYPE,
} from "./envelope.ts";
import { deriveKeys, isSignedBy, type Keys } from "./keys.ts";
import { readPayload, writePayload } from "./manifest-payload.ts";

/**
 * Opens a signer over a fleet's secret: a text of at least 16 bytes of UTF-8, not counting the
 * whitespace around it, or at least 32 bytes.
 *
 * Throws a RangeError or TypeError that names what was expected and the length that came, never
 * the secret.
 */
export function openSigner(secret: string | Uint8Array): Signer {
  const keys = deriveKeys(secret);
  return {
    key: keys.record,
    seal: (manifest) => sealManifest(keys, manifest),
    check: (envelope) => checkEnvelope(keys, envelope),
    sign: (bytes) => keys.sign(bytes),
    verify: isSignedBy,
    leaseToken: (fleet, nonce) => leaseToken(keys, fleet, nonce),
    accessSecret: (fleet, nonce) => accessSecret(keys, fleet, nonce),
  };
}

/** Neither a fleet's id nor a nonce has a line feed, so no two pairs give the same text. */
function leaseToken(keys: Keys, fleet: string, nonce: string): Uint8Array {
  const text = `stint/v1/lease-token\n${fleet}\n${nonce}`;
  return keys.markLease(new TextEncoder().encode(text));
}

function accessSecret(keys: Keys, fleet: string, nonce: string): Uint8Array {
  const text = `stint/v1/access-secret\n${fleet}\n${nonce}`;
  return keys.markAccess(new TextEncoder().encode(text));
}

function sealManifest(keys: Keys, manifest: Manifest): Envelope {
  const { key_id: keyId } = keys.record;
  ok(manifest.key_id === keyId, `a manifest must name the key in use, ${keyId}`);
  const payload = writePayload(manifest);
  const signature = keys.authenticate(encodeForSigning(PAYLOAD_TYPE, payload));
  return closeEnvelope(payload, { keyId, signature });
}

/**
 * Looks at the payload only after its signature has been verified, so nobody without the secret
 * gets to choose what is parsed. The verdicts in this order: form of the envelope, version of its
 * type, key, signature, then version and form of the payload, and the key that the payload names.
 */
function checkEnvelope(keys: Keys, presented: unknown): CheckedManifest {
  const envelope = openEnvelope(presented);
  if (envelope === undefined) return { verdict: "form", manifest: null };
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    const isOther = isManifestType(envelope.payloadType);
    return { verdict: isOther ? "version" : "form", manifest: null };
  }
  const { key_id: keyId } = keys.record;
  if (envelope.keyId !== keyId) return { verdict: "key", manifest: null };
  const expected = keys.authenticate(encodeForSigning(PAYLOAD_TYPE, envelope.payload));
  if (envelope.signature.length !== expected.length) return { verdict: "form", manifest: null };
  if (!timingSafeEqual(envelope.signature, expected)) {
    return { verdict: "signature", manifest: null };
  }
  const read = readPayload(envelope.payload);
  if (read.kind !== "manifest") return { verdict: read.kind, manifest: null };
  if (read.manifest.key_id !== keyId) return { verdict: "key", manifest: null };
  return { verdict: "valid", manifest: read.manifest };
}
