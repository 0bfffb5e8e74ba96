import { CelList, CelMap, Failure, typeName } from "./value.ts";
import type { Value } from "./value.ts";

/** Reads a field of a map; whatever has no such field is a failure. */
export function readField(from: Value, field: string): Value | Failure {
  const value = from instanceof CelMap ? from.get(field) : undefined;
  if (value !== undefined) return value;
  const what = `field ${JSON.stringify(field.slice(0, 64))}`;
  if (from instanceof CelMap) return new Failure(`${what} must be present, got nothing`);
  return new Failure(`${what} must be read from a map, got ${typeName(from)}`);
}

/** Tells whether a field is there to be read; of null, and of what is no map, there is none. */
export function hasField(from: Value, field: string): boolean {
  return from instanceof CelMap && from.get(field) !== undefined;
}

/** Reads an element of a list by its position from 0, or a field of a map by its name. */
export function readIndex(from: Value, at: Value): Value | Failure {
  if (from instanceof CelMap && typeof at === "string") return readField(from, at);
  if (!(from instanceof CelList) || typeof at !== "bigint") {
    const types = `${typeName(at)} into ${typeName(from)}`;
    return new Failure(`an index must be an int into a list or a string into a map, got ${types}`);
  }
  const element = from.at(Number(at));
  if (element !== undefined) return element;
  return new Failure(`an index must be below the size of its list, ${from.size}, got ${at}`);
}
