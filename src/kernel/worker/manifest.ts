import type { Budget } from "../budget/budget.ts";
import type { JsonObject } from "../json.ts";

/** Network rights, narrowest first. */
export const NETWORKS = ["none", "controller", "open"] as const;

/** Network rights of a worker: `none` < `controller` < `open`. */
export type Network = (typeof NETWORKS)[number];

/** The version that every manifest of this form carries. */
export const MANIFEST_VERSION = 1;

/**
 * Manifest v1: the single-use permission for one worker instance to exist.
 * Signed as a DSSE envelope over its canonical bytes (RFC 8785); instants are journal time.
 */
export interface Manifest {
  readonly version: typeof MANIFEST_VERSION;
  readonly fleet: string;
  readonly instance: string;
  readonly name: string;
  readonly parent: string | null;
  readonly root: string;
  readonly depth: number;
  readonly state: JsonObject;
  readonly budget: Budget;
  readonly regions: readonly string[];
  readonly network: Network;
  readonly issued_at_ms: number;
  readonly register_by_ms: number;
  readonly expires_at_ms: number;
  readonly contract_hash: string;
  readonly key_id: string;
}

/** What checking the envelope of a presented manifest found, before the rules are asked. */
export type EnvelopeVerdict = "valid" | "form" | "signature" | "version" | "key";
