import { unreachable } from "../assert.ts";
import { tooLong, tooManySteps } from "./meter.ts";
import type { Meter } from "./meter.ts";
import { CelList, CelMap, Failure, typeName } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * Decides whether two values are equal, deeply; an int equals a double of the same number, values
 * of other different types are unequal. Walks iteratively: a stack is shorter than state is deep.
 */
export function equals(left: Value, right: Value, meter: Meter): boolean | Failure {
  const pending: Pair[] = [[left, right]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const inner = compareOne(pair, meter);
    if (inner instanceof Failure || inner === false) return inner;
    for (const next of inner) pending.push(next);
  }
  return true;
}

/** The four orders. */
export type Order = "<" | "<=" | ">" | ">=";

/** Orders two numbers, two strings (by code unit) or two bools; anything else is a failure. */
export function order(by: Order, pair: readonly [Value, Value], meter: Meter): boolean | Failure {
  const [left, right] = pair;
  if (typeof left === "string" && typeof right === "string") {
    if (!meter.spendText(Math.min(left.length, right.length))) return tooManySteps;
    return isOrdered(by, left, right);
  }
  if (isNumber(left) && isNumber(right)) return isOrdered(by, left, right);
  if (typeof left === "boolean" && typeof right === "boolean") {
    return isOrdered(by, Number(left), Number(right));
  }
  const types = `${typeName(left)} and ${typeName(right)}`;
  return new Failure(`"${by}" must compare two numbers, strings or bools, got ${types}`);
}

/** Decides whether a list has an equal element, or a map the key. */
export function isIn(sought: Value, within: Value, meter: Meter): boolean | Failure {
  if (within instanceof CelMap) {
    return typeof sought === "string" && within.get(sought) !== undefined;
  }
  if (!(within instanceof CelList)) {
    return new Failure(`"in" must search a list or map, got ${typeName(within)}`);
  }
  const long = tooLong(within.size);
  if (long !== undefined) return long;
  if (!meter.spend(within.size)) return tooManySteps;
  for (const element of within.elements()) {
    const found = equals(sought, element, meter);
    if (found !== false) return found;
  }
  return false;
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

/** Each order is asked for itself: none of them holds where a NaN takes part. */
function isOrdered<T extends string | bigint | number>(by: Order, left: T, right: T): boolean {
  switch (by) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return unreachable(by);
  }
}

type Pair = readonly [Value, Value];

/** False when the two differ; otherwise the pairs inside of them that must be equal as well. */
function compareOne([left, right]: Pair, meter: Meter): readonly Pair[] | false | Failure {
  if (left instanceof CelList) return right instanceof CelList && pairLists(left, right, meter);
  if (left instanceof CelMap) return right instanceof CelMap && pairMaps(left, right, meter);
  if (typeof left === "string" && !meter.spendText(left.length)) return tooManySteps;
  // Asked as two orders: "===" never holds between a bigint and a number.
  const isEqual =
    isNumber(left) && isNumber(right)
      ? isOrdered("<=", left, right) && isOrdered(">=", left, right)
      : left === right;
  return isEqual && [];
}

function pairLists(left: CelList, right: CelList, meter: Meter): readonly Pair[] | false | Failure {
  if (left.size !== right.size) return false;
  const long = tooLong(left.size);
  if (long !== undefined) return long;
  if (!meter.spend(left.size)) return tooManySteps;
  return left.elements().map((element, index) => [element, right.at(index) ?? null]);
}

/** Goes by sorted keys, so that the steps spent do not depend on how the objects were built. */
function pairMaps(left: CelMap, right: CelMap, meter: Meter): readonly Pair[] | false | Failure {
  const size = left.size;
  if (!meter.spend(size)) return tooManySteps;
  if (size !== right.size) return false;
  const long = tooLong(size);
  if (long !== undefined) return long;
  const pairs: Pair[] = [];
  for (const key of left.keys()) {
    const other = right.get(key);
    if (other === undefined) return false;
    pairs.push([left.get(key) ?? null, other]);
  }
  return pairs;
}
