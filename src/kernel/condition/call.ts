import { unreachable } from "../assert.ts";
import { checkInt } from "./arithmetic.ts";
import type { FunctionName } from "./expression.ts";
import { tooManySteps } from "./meter.ts";
import type { Meter } from "./meter.ts";
import { CelList, CelMap, Failure, wrongType } from "./value.ts";
import type { Value } from "./value.ts";

/** Longest text that is read as a number. */
const numberCharsMax = 32;

/** Calls a function; of a method, the first argument is the value before the dot. */
export function callFunction(
  name: FunctionName,
  [first, second]: readonly Value[],
  meter: Meter,
): Value | Failure {
  if (first === undefined) return new Failure(`${name} must have an argument, got none`);
  switch (name) {
    case "dyn":
      return first;
    case "size":
      return sizeOf(first, meter);
    case "int":
      return toInt(first);
    case "double":
      return toDouble(first);
    case "string":
      return toText(first);
    case "contains":
    case "startsWith":
    case "endsWith":
      return search(name, [first, second ?? null], meter);
    default:
      return unreachable(name);
  }
}

/** Counts elements, keys or the code points of a string. */
function sizeOf(value: Value, meter: Meter): bigint | Failure {
  if (value instanceof CelList) return BigInt(value.size);
  if (value instanceof CelMap) {
    const size = value.size;
    return meter.spend(size) ? BigInt(size) : tooManySteps;
  }
  if (typeof value !== "string") return wrongArgument("size", "a string, list or map", value);
  if (!meter.spendText(value.length)) return tooManySteps;
  let size = 0n;
  for (const _ of value) size += 1n;
  return size;
}

function toInt(value: Value): bigint | Failure {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isFinite(value))
    return checkInt(BigInt(Math.trunc(value)));
  const isText = typeof value === "string" && value.length <= numberCharsMax;
  if (isText && /^[+-]?\d+$/.test(value)) return checkInt(BigInt(value.replace("+", "")));
  return wrongArgument("int", "an int, a finite double or a text of digits", value);
}

function toDouble(value: Value): number | Failure {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  const isText = typeof value === "string" && value.length <= numberCharsMax;
  if (isText && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  return wrongArgument("double", "a number or a decimal text", value);
}

function toText(value: Value): string | Failure {
  if (value === null || value instanceof CelList || value instanceof CelMap) {
    return wrongArgument("string", "a string, number or bool", value);
  }
  return String(value);
}

function search(
  name: "contains" | "startsWith" | "endsWith",
  [text, sought]: readonly [Value, Value],
  meter: Meter,
): boolean | Failure {
  if (typeof text !== "string") return wrongArgument(name, "a string", text);
  if (typeof sought !== "string") return wrongArgument(name, "a string", sought);
  if (name === "contains") {
    return meter.spendSearch(text.length, sought.length) ? text.includes(sought) : tooManySteps;
  }
  if (!meter.spendText(sought.length)) return tooManySteps;
  return name === "startsWith" ? text.startsWith(sought) : text.endsWith(sought);
}

function wrongArgument(name: string, expected: string, actual: Value): Failure {
  return wrongType(actual, `${name} must be given ${expected}`);
}
