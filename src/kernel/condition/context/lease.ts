import type { Contract } from "../../fleet/contract.ts";
import type { LeaseMode } from "../../lease/lease.ts";
import { CONTRACT_TYPES, RELATIVE_TYPES, type AdmissionRelative } from "./admission.ts";
import type { CelFields, CelType, Vocabulary } from "../vocabulary.ts";

/** What a condition on leases sees of whoever asks for one; every field is there for everybody. */
export interface LeaseAsker {
  readonly kind: "worker" | "outside";
  /** A worker's name, or the name of an outside party as it gave it. */
  readonly name: string;
  /** A worker's id; empty for an outside party. */
  readonly id: string;
  /** A worker's depth; 0 for an outside party. */
  readonly depth: number;
}

/**
 * What a condition on leases is decided on: the fleet before the lease that is asked for counts.
 * Absent texts are empty, so that no condition fails for want of one; `worker` alone may be null.
 */
export interface LeaseContext {
  readonly holder: LeaseAsker;
  /** The worker that asks, with what it is; null for an outside party. */
  readonly worker: AdmissionRelative | null;
  readonly mode: LeaseMode;
  /** The name of the lane, never an alias; empty where a region is asked for. */
  readonly lane: string;
  /** Canonical patterns. */
  readonly region: readonly string[];
  readonly ttl_ms: number;
  readonly key: string;
  readonly run_id: string;
  /** What counts as held by somebody else in this one decision. */
  readonly also_held: readonly (readonly string[])[];
  /** The live leases of the fleet. */
  readonly active_leases: number;
  /** The live leases of the holder. */
  readonly held: number;
  /** The workers that live or are reserved. */
  readonly active_count: number;
  readonly contract: Contract;
}

const askerTypes = {
  kind: "string",
  name: "string",
  id: "string",
  depth: "int",
} as const satisfies Record<keyof LeaseAsker, CelType>;

/** Every name that a condition on leases may use, with its CEL type. */
export const LEASE_CONTEXT_TYPES: CelFields = {
  holder: askerTypes,
  worker: RELATIVE_TYPES,
  mode: "string",
  lane: "string",
  region: "list<string>",
  ttl_ms: "int",
  key: "string",
  run_id: "string",
  also_held: "list<list<string>>",
  active_leases: "int",
  held: "int",
  active_count: "int",
  contract: CONTRACT_TYPES,
} as const satisfies Record<keyof LeaseContext, CelType>;

/** What conditions on leases may use. */
export const LEASE_VOCABULARY: Vocabulary = {
  types: LEASE_CONTEXT_TYPES,
  nullable: new Set(["worker"]),
};
