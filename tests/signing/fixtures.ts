// A manifest, and envelopes made without Stint's signer: the protocol in a second implementation,
// which also signs what the signer never would.
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import type { Envelope } from "../../src/ports/signer.ts";
import { openSigner } from "../../src/signing/signer.ts";

/** The secret that these tests seal with. */
export const SECRET = "correct horse battery staple";
/** The id of that secret's key. */
export const KEY_ID = openSigner(SECRET).key.key_id;
/** The payload type of manifests, spelled out once more. */
export const PAYLOAD_TYPE = "application/vnd.stint.manifest.v1+json";

/** A manifest that uses every field. */
export const MANIFEST: Manifest = {
  version: 1,
  fleet: "f-abcdefghijklmnop",
  instance: "w-abcdefghijklmnop",
  name: "root",
  parent: null,
  root: "w-abcdefghijklmnop",
  depth: 0,
  state: { task: "analyse", parts: ["a", "ü"], deep: { b: 2, a: 1.5 } },
  budget: { cpu_milli: 500, units: { tokens: 10 } },
  regions: ["src/**"],
  network: "controller",
  issued_at_ms: 1_700_000_000_000,
  register_by_ms: 1_700_000_030_000,
  expires_at_ms: 1_700_086_400_000,
  contract_hash: "ab".repeat(32),
  key_id: KEY_ID,
};

/** The text that an envelope carries. */
export function payloadOf(envelope: Envelope): string {
  return Buffer.from(envelope.payload, "base64").toString("utf8");
}

/** Signs any payload, also such as the signer refuses to seal. */
export function envelopeOver(
  payload: string | Uint8Array,
  options: {
    readonly payloadType?: string;
    readonly secret?: string;
    readonly keyId?: string;
  } = {},
): Envelope {
  const { payloadType = PAYLOAD_TYPE, secret = SECRET, keyId = KEY_ID } = options;
  const bytes = typeof payload === "string" ? utf8ToBytes(payload) : payload;
  const info = utf8ToBytes("stint/v1/manifest/hmac-sha256");
  const key = hkdf(sha256, utf8ToBytes(secret), undefined, info, 32);
  const head = `DSSEv1 ${utf8ToBytes(payloadType).length} ${payloadType} ${bytes.length} `;
  const signature = hmac(sha256, key, Buffer.concat([utf8ToBytes(head), bytes]));
  return {
    payloadType,
    payload: Buffer.from(bytes).toString("base64"),
    signatures: [{ keyid: keyId, sig: Buffer.from(signature).toString("base64") }],
  };
}
