import canonicalize from "canonicalize";
import { ok } from "../kernel/assert.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type Manifest, MANIFEST_VERSION, NETWORKS } from "../kernel/worker/manifest.ts";

/** What reading a payload found. */
export type ReadPayload =
  | { readonly kind: "manifest"; readonly manifest: Manifest }
  | { readonly kind: "form" }
  | { readonly kind: "version" };

/** The longest text a field of its own may have; the kernel's limits are narrower, by field. */
const textCharsMax = 1_024;

const keyIdForm = /^[0-9a-f]{16}$/;
const hashForm = /^[0-9a-f]{64}$/;

type Check = (value: unknown) => boolean;

/** Every field of manifest v1 and what it must look like; a field that is not here is refused. */
const FIELDS: Readonly<Record<keyof Manifest, Check>> = {
  version: (value) => value === MANIFEST_VERSION,
  fleet: isText,
  instance: isText,
  name: isText,
  parent: (value) => value === null || isText(value),
  root: isText,
  depth: (value) => isCount(value) && value <= LIMITS.depthMax,
  state: isObject,
  budget: isBudget,
  regions: isRegions,
  network: (value) => NETWORKS.some((network) => network === value),
  issued_at_ms: isCount,
  register_by_ms: isCount,
  expires_at_ms: isCount,
  contract_hash: (value) => typeof value === "string" && hashForm.test(value),
  key_id: (value) => typeof value === "string" && keyIdForm.test(value),
};

const BUDGET_FIELDS = [
  "cpu_milli",
  "memory_bytes",
  "processes",
  "spawns",
  "cpu_ms",
  "lifetime_ms",
  "wall_ms",
];

/** The canonical bytes (RFC 8785) of a manifest of the kernel; one that cannot be read is a bug. */
export function writePayload(manifest: Manifest): Uint8Array {
  const text = canonicalize(manifest);
  ok(text !== undefined, "a manifest must be JSON");
  const payload = new TextEncoder().encode(text);
  ok(readPayload(payload).kind === "manifest", "a manifest must be of the form of version 1");
  return payload;
}

/**
 * Reads a payload whose signature has been verified. It must be canonical, byte for byte: a text
 * with duplicate keys, other spacing or another spelling of a number is refused as `form`.
 */
export function readPayload(payload: Uint8Array): ReadPayload {
  if (payload.length > LIMITS.entryBytesMax) return { kind: "form" };
  const value = parseCanonical(payload);
  if (!isObject(value)) return { kind: "form" };
  // Before the fields: those of a later version are rightly others.
  if (isCount(value["version"]) && value["version"] !== MANIFEST_VERSION) {
    return { kind: "version" };
  }
  return isManifest(value) ? { kind: "manifest", manifest: value } : { kind: "form" };
}

function parseCanonical(payload: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    const value: unknown = JSON.parse(text);
    return canonicalize(value) === text ? value : undefined;
  } catch {
    // No UTF-8, no JSON, or JSON that has no canonical form (lone surrogates).
    return undefined;
  }
}

function isManifest(value: object): value is Manifest {
  const fields = new Map<string, unknown>(Object.entries(value));
  const checks = Object.entries(FIELDS);
  if (fields.size !== checks.length) return false;
  return checks.every(([field, check]) => fields.has(field) && check(fields.get(field)));
}

function isBudget(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(([field, amount]) =>
    field === "units" ? isUnits(amount) : BUDGET_FIELDS.includes(field) && isCount(amount),
  );
}

function isUnits(value: unknown): boolean {
  if (!isObject(value)) return false;
  const amounts = Object.values(value);
  return amounts.length <= LIMITS.unitsMax && amounts.every(isCount);
}

function isRegions(value: unknown): boolean {
  return Array.isArray(value) && value.length <= LIMITS.regionPatternsMax && value.every(isText);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length >= 1 && value.length <= textCharsMax;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
