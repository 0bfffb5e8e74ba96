/*
 * Evaluates an Expression as CEL says, on values that cost nothing until they are read, and
 * counts the steps. An error is a value (Failure) that travels up; `||`, `&&`, `all` and `exists`
 * may outvote it, as in CEL, unless it is final (a limit), which ends the whole evaluation.
 */
import { unreachable } from "../assert.ts";
import { hasField, readField, readIndex } from "./access.ts";
import { calculate, negate } from "./arithmetic.ts";
import { callFunction } from "./call.ts";
import { equals, isIn, order } from "./compare.ts";
import type { BinaryOperator, Expression, LoopExpression } from "./expression.ts";
import { Meter, tooLong, tooManySteps } from "./meter.ts";
import { CelList, CelMap, Failure, wrongType } from "./value.ts";
import type { Value } from "./value.ts";

/** What names stand for; `variable` is the element that the macro around is visiting. */
interface Scope {
  readonly context: CelMap;
  readonly meter: Meter;
  readonly variable: string | undefined;
  readonly element: Value;
}

/** Evaluates a checked condition; the context is read by own keys and never changed. */
export function evaluate(expression: Expression, context: object): Value | Failure {
  const scope = {
    context: new CelMap(context),
    meter: new Meter(),
    variable: undefined,
    element: null,
  };
  return run(expression, scope);
}

function run(expression: Expression, scope: Scope): Value | Failure {
  if (!scope.meter.spend(1)) return tooManySteps;
  switch (expression.op) {
    case "literal":
      return expression.value;
    case "name":
      return readName(expression.name, scope);
    case "field": {
      const from = run(expression.of, scope);
      return from instanceof Failure ? from : readField(from, expression.field);
    }
    case "has": {
      const from = run(expression.of, scope);
      return from instanceof Failure ? from : hasField(from, expression.field);
    }
    case "index": {
      const pair = runAll([expression.of, expression.at], scope);
      return pair instanceof Failure ? pair : readIndex(pair[0] ?? null, pair[1] ?? null);
    }
    case "list": {
      const items = runAll(expression.items, scope);
      return items instanceof Failure ? items : CelList.ofValues(items);
    }
    case "not": {
      const value = run(expression.of, scope);
      return typeof value === "boolean" ? !value : wrongType(value, '"!" must negate a bool');
    }
    case "negate": {
      const value = run(expression.of, scope);
      return value instanceof Failure ? value : negate(value);
    }
    case "and":
      return runLogical(false, expression, scope);
    case "or":
      return runLogical(true, expression, scope);
    case "choose": {
      const when = run(expression.when, scope);
      if (typeof when !== "boolean") return wrongType(when, '"?" must follow a bool');
      return run(when ? expression.consequent : expression.alternative, scope);
    }
    case "binary": {
      const left = run(expression.left, scope);
      if (left instanceof Failure) return left;
      const right = run(expression.right, scope);
      if (right instanceof Failure) return right;
      return applyBinary(expression.operator, [left, right], scope.meter);
    }
    case "call": {
      const args = runAll(expression.args, scope);
      return args instanceof Failure ? args : callFunction(expression.name, args, scope.meter);
    }
    case "loop":
      return runLoop(expression, scope);
    default:
      return unreachable(expression);
  }
}

function readName(name: string, scope: Scope): Value | Failure {
  if (name === scope.variable) return scope.element;
  const value = scope.context.get(name);
  return value === undefined ? new Failure(`"${name}" must be in the context, got none`) : value;
}

function runAll(expressions: readonly Expression[], scope: Scope): Value[] | Failure {
  const values: Value[] = [];
  for (const expression of expressions) {
    const value = run(expression, scope);
    if (value instanceof Failure) return value;
    values.push(value);
  }
  return values;
}

/** `decisive` is the value of one side that settles the whole, whatever the other side is. */
function runLogical(
  decisive: boolean,
  { left, right }: { readonly left: Expression; readonly right: Expression },
  scope: Scope,
): Value | Failure {
  const first = runBool(left, scope);
  if (first === decisive || isFinal(first)) return first;
  const second = runBool(right, scope);
  if (second === decisive || isFinal(second)) return second;
  return first instanceof Failure ? first : second;
}

function runBool(expression: Expression, scope: Scope): boolean | Failure {
  const value = run(expression, scope);
  return typeof value === "boolean" ? value : wrongType(value, "a condition must be a bool");
}

function isFinal(value: Value | Failure): boolean {
  return value instanceof Failure && value.final;
}

function applyBinary(
  operator: BinaryOperator,
  pair: readonly [Value, Value],
  meter: Meter,
): Value | Failure {
  switch (operator) {
    case "==":
      return equals(pair[0], pair[1], meter);
    case "!=": {
      const isEqual = equals(pair[0], pair[1], meter);
      return isEqual instanceof Failure ? isEqual : !isEqual;
    }
    case "in":
      return isIn(pair[0], pair[1], meter);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return order(operator, pair, meter);
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return calculate(operator, pair, meter);
    default:
      return unreachable(operator);
  }
}

function runLoop(loop: LoopExpression, scope: Scope): Value | Failure {
  const elements = listElements(run(loop.over, scope));
  if (elements instanceof Failure) return elements;
  const scopes = elements.map((element) => ({ ...scope, variable: loop.variable, element }));
  switch (loop.name) {
    case "all":
      return runQuantifier(false, loop.body, scopes);
    case "exists":
      return runQuantifier(true, loop.body, scopes);
    case "exists_one":
    case "filter": {
      const found = runSelect(loop.body, scopes);
      if (found instanceof Failure) return found;
      if (loop.name === "exists_one") return found.length === 1;
      return CelList.ofValues(found.map(({ element }) => element));
    }
    case "map":
      return runMap(loop, scopes);
    default:
      return unreachable(loop.name);
  }
}

/** The elements of a list, or the keys of a map in their order. */
function listElements(over: Value | Failure): readonly Value[] | Failure {
  if (!(over instanceof CelList || over instanceof CelMap)) {
    return wrongType(over, "a macro must visit a list or map");
  }
  const long = tooLong(over.size);
  if (long !== undefined) return long;
  return over instanceof CelMap ? over.keys() : over.elements();
}

/** An error counts only if no element is decisive, as for `&&` and `||`. */
function runQuantifier(
  decisive: boolean,
  body: Expression,
  scopes: readonly Scope[],
): boolean | Failure {
  let failure: Failure | undefined;
  for (const scope of scopes) {
    const value = runBool(body, scope);
    if (value === decisive || isFinal(value)) return value;
    if (value instanceof Failure) failure ??= value;
  }
  return failure ?? !decisive;
}

/** The scopes in which the expression holds. */
function runSelect(where: Expression, scopes: readonly Scope[]): readonly Scope[] | Failure {
  const found: Scope[] = [];
  for (const scope of scopes) {
    const value = runBool(where, scope);
    if (value instanceof Failure) return value;
    if (value) found.push(scope);
  }
  return found;
}

function runMap(loop: LoopExpression, scopes: readonly Scope[]): Value | Failure {
  const values: Value[] = [];
  for (const scope of scopes) {
    const isIncluded = loop.where === undefined || runBool(loop.where, scope);
    if (isIncluded instanceof Failure) return isIncluded;
    if (!isIncluded) continue;
    const value = run(loop.body, scope);
    if (value instanceof Failure) return value;
    values.push(value);
  }
  return CelList.ofValues(values);
}
