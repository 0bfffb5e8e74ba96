import { unreachable } from "../assert.ts";
import type { BinaryOperator } from "./expression.ts";
import { tooLong, tooManySteps } from "./meter.ts";
import type { Meter } from "./meter.ts";
import { CelList, Failure, typeName } from "./value.ts";
import type { Value } from "./value.ts";

/** The operators that make a new value of two of one type. */
export type Calculation = Extract<BinaryOperator, "+" | "-" | "*" | "/" | "%">;

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** Calculates with two ints or two doubles; `+` also joins two strings or two lists. */
export function calculate(
  by: Calculation,
  [left, right]: readonly [Value, Value],
  meter: Meter,
): Value | Failure {
  if (typeof left === "bigint" && typeof right === "bigint") return withInts(by, left, right);
  if (typeof left === "number" && typeof right === "number" && by !== "%") {
    return withDoubles(by, left, right);
  }
  if (by === "+" && typeof left === "string" && typeof right === "string") {
    return meter.spendText(left.length + right.length) ? left + right : tooManySteps;
  }
  if (by === "+" && left instanceof CelList && right instanceof CelList) {
    return join(left, right, meter);
  }
  const types = `${typeName(left)} and ${typeName(right)}`;
  return new Failure(
    `"${by}" must have two values of one type that it is defined for, got ${types}`,
  );
}

/** Negates an int or a double. */
export function negate(value: Value): Value | Failure {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return checkInt(-value);
  return new Failure(`"-" must negate an int or double, got ${typeName(value)}`);
}

/** Passes an int on that fits 64 bits. */
export function checkInt(value: bigint): bigint | Failure {
  if (value >= int64Min && value <= int64Max) return value;
  return new Failure(`an int must fit 64 bits, got ${value}`);
}

function withInts(by: Calculation, left: bigint, right: bigint): bigint | Failure {
  switch (by) {
    case "+":
      return checkInt(left + right);
    case "-":
      return checkInt(left - right);
    case "*":
      return checkInt(left * right);
    case "/":
      return right === 0n ? divisionByZero : checkInt(left / right);
    case "%":
      return right === 0n ? divisionByZero : left % right;
    default:
      return unreachable(by);
  }
}

const divisionByZero = new Failure("an int must be divided by another number than 0, got 0");

function withDoubles(by: Exclude<Calculation, "%">, left: number, right: number): number {
  switch (by) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    default:
      return unreachable(by);
  }
}

function join(left: CelList, right: CelList, meter: Meter): CelList | Failure {
  const size = left.size + right.size;
  const long = tooLong(size);
  if (long !== undefined) return long;
  if (!meter.spend(size)) return tooManySteps;
  return CelList.ofValues([...left.elements(), ...right.elements()]);
}
