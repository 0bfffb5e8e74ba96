// Not by its name: an older Node has no such export, and could not even say that it is too old.
import crypto from "node:crypto";
import canonicalize from "canonicalize";
import { ok } from "../kernel/assert.ts";
import { isOrderedJson } from "../kernel/json.ts";

/** The canonical form (RFC 8785) of a JSON value; anything else is a bug of the caller. */
export function canonicalText(value: unknown): string {
  const text = isOrderedJson(value) ? JSON.stringify(value) : canonicalize(value);
  ok(text !== undefined, `a value must be JSON, got ${typeof value}`);
  return text;
}

/** SHA-256 over the UTF-8 bytes of a text, lowercase hex. */
export function sha256Of(text: string): string {
  return crypto.hash("sha256", text, "hex");
}

/**
 * A deep copy with keys in canonical order and without undefined fields: what reading the canonical
 * text back would give, at a quarter of the cost. Anything but JSON is a bug of the caller.
 *
 * The loop decides on such copies only, so that a decision can never lean on something that the
 * journal does not keep, and nobody holds a reference into the state.
 */
export function canonicalCopy<T>(value: T): T {
  // A copy of JSON has the type of what it copies.
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    ok(Number.isFinite(value), `a number must be finite, got ${value}`);
    // JSON writes both zeros alike.
    return value === 0 ? 0 : value;
  }
  if (Array.isArray(value)) return value.map(copy);
  ok(isPlain(value), `a value must be JSON, got ${typeof value}`);
  const copied: Record<string, unknown> = {};
  for (const key of Object.keys(value).toSorted()) {
    const field = value[key];
    if (field === undefined) continue;
    // Assigning to this key would set the prototype: it must become a field like any other.
    if (key === "__proto__") Object.defineProperty(copied, key, ownField(copy(field)));
    else copied[key] = copy(field);
  }
  return copied;
}

function ownField(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Freezes a JSON value and all below it, and answers it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  Object.freeze(value);
  for (const field of Object.values(value)) deepFreeze(field);
  return value;
}
