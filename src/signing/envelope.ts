// DSSE v1 (https://github.com/secure-systems-lab/dsse), narrowed so that every manifest has
// exactly one envelope: one signature, standard base64 in its one spelling, no other fields.

import { LIMITS } from "../kernel/limits.ts";
import type { Envelope } from "../ports/signer.ts";

/** The payload type of the manifests that this Stint writes and reads. */
export const PAYLOAD_TYPE = "application/vnd.stint.manifest.v1+json";

const anyVersion = /^application\/vnd\.stint\.manifest\.v[0-9]{1,9}\+json$/;

const typeCharsMax = 128;
const keyIdCharsMax = 128;
const signatureCharsMax = 128;
const payloadCharsMax = Math.ceil(LIMITS.entryBytesMax / 3) * 4;

/** An envelope taken apart: plain values, read once. */
export interface OpenedEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** Puts a payload and its signature into an envelope. */
export function closeEnvelope(
  payload: Uint8Array,
  signed: { readonly keyId: string; readonly signature: Uint8Array },
): Envelope {
  return {
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(payload).toString("base64"),
    signatures: [{ keyid: signed.keyId, sig: Buffer.from(signed.signature).toString("base64") }],
  };
}

/** Takes apart anything that claims to be an envelope; undefined when it is not of that form. */
export function openEnvelope(presented: unknown): OpenedEnvelope | undefined {
  try {
    return takeApart(presented);
  } catch {
    // A getter or a proxy of whoever presents it threw: whatever it is, it is no envelope.
    return undefined;
  }
}

/** Whether a payload type is that of a manifest, of this version or another. */
export function isManifestType(payloadType: string): boolean {
  return anyVersion.test(payloadType);
}

/**
 * The bytes that are signed: DSSE's pre-authentication encoding, in which every part is preceded
 * by its length, so that no two pairs of type and payload give the same bytes.
 */
export function encodeForSigning(payloadType: string, payload: Uint8Array): Uint8Array {
  const typeBytes = Buffer.byteLength(payloadType);
  const head = `DSSEv1 ${typeBytes} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function takeApart(presented: unknown): OpenedEnvelope | undefined {
  const envelope = fieldsOf(presented, ["payloadType", "payload", "signatures"]);
  if (envelope === undefined) return undefined;
  const [payloadType, encoded, signatures] = envelope;
  if (!Array.isArray(signatures) || signatures.length !== 1) return undefined;
  const signature = fieldsOf(signatures[0], ["keyid", "sig"]);
  if (signature === undefined) return undefined;
  const [keyId, sig] = signature;
  if (!isText(payloadType, typeCharsMax) || !isText(keyId, keyIdCharsMax)) return undefined;
  const payload = decodeBase64(encoded, payloadCharsMax);
  const signed = decodeBase64(sig, signatureCharsMax);
  if (payload === undefined || signed === undefined) return undefined;
  return { payloadType, payload, keyId, signature: signed };
}

/** The values of an object that has exactly these fields, each read once, in this order. */
function fieldsOf(value: unknown, names: readonly string[]): readonly unknown[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const keys = Reflect.ownKeys(value);
  if (keys.length !== names.length || !names.every((name) => keys.includes(name))) return undefined;
  return names.map((name) => (value as Readonly<Record<string, unknown>>)[name]);
}

function isText(value: unknown, charsMax: number): value is string {
  return typeof value === "string" && value.length <= charsMax && value.isWellFormed();
}

function decodeBase64(value: unknown, charsMax: number): Uint8Array | undefined {
  if (typeof value !== "string" || value.length > charsMax) return undefined;
  const bytes = Buffer.from(value, "base64");
  // Node also reads base64url, blanks and loose last bits; one manifest, one spelling.
  return bytes.toString("base64") === value ? bytes : undefined;
}
