import type { KeyRecord } from "../kernel/command.ts";
import type { EnvelopeVerdict, Manifest } from "../kernel/worker/manifest.ts";

/** A DSSE envelope (https://github.com/secure-systems-lab/dsse), as JSON. */
export interface Envelope {
  readonly payloadType: string;
  /** Base64 of the payload's bytes. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** What checking an envelope found; `manifest` is null unless the verdict is `valid`. */
export interface CheckedManifest {
  readonly verdict: EnvelopeVerdict;
  readonly manifest: Manifest | null;
}

/**
 * Holds a fleet's secret: signs manifests (HMAC-SHA256) and heads (Ed25519), checks both, and
 * derives the tokens of leases.
 */
export interface Signer {
  /** The id and public half of the key in use. */
  readonly key: KeyRecord;
  /** Signs a manifest; the same manifest gives the same envelope. */
  seal(manifest: Manifest): Envelope;
  /** Checks anything that claims to be an envelope; never throws on it. */
  check(envelope: unknown): CheckedManifest;
  /** Signs bytes with Ed25519, base64url. */
  sign(bytes: Uint8Array): string;
  /** Whether `signature` (base64url) is over `bytes` by `publicKey` (base64url, raw 32 bytes). */
  verify(bytes: Uint8Array, signature: string, publicKey: string): boolean;
  /**
   * The 32 bytes of the token of an outside party's lease: the same for the same fleet and nonce,
   * and nobody's to work out without the secret.
   */
  leaseToken(fleet: string, nonce: string): Uint8Array;
  /** The 32 bytes of the secret of an access token, in the same way; `nonce` is a command's id. */
  accessSecret(fleet: string, nonce: string): Uint8Array;
}
