/** A function of the value before the dot, or of its arguments. */
export type FunctionName =
  "size" | "int" | "double" | "string" | "dyn" | "contains" | "startsWith" | "endsWith";

/** An operator on two values that are both needed. */
export type BinaryOperator =
  "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/" | "%";

/** A macro that visits every element of a list, or every key of a map. */
export type LoopName = "all" | "exists" | "exists_one" | "map" | "filter";

/** A constant of the source. */
export type Literal = null | boolean | string | bigint | number;

/** A condition in the part of CEL that Stint evaluates; every node costs one step. */
export type Expression =
  | { readonly op: "literal"; readonly value: Literal }
  | { readonly op: "name"; readonly name: string }
  | { readonly op: "field"; readonly of: Expression; readonly field: string }
  | { readonly op: "has"; readonly of: Expression; readonly field: string }
  | { readonly op: "index"; readonly of: Expression; readonly at: Expression }
  | { readonly op: "list"; readonly items: readonly Expression[] }
  | { readonly op: "not"; readonly of: Expression }
  | { readonly op: "negate"; readonly of: Expression }
  | { readonly op: "and"; readonly left: Expression; readonly right: Expression }
  | { readonly op: "or"; readonly left: Expression; readonly right: Expression }
  | {
      readonly op: "choose";
      readonly when: Expression;
      readonly consequent: Expression;
      readonly alternative: Expression;
    }
  | {
      readonly op: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly op: "call";
      readonly name: FunctionName;
      readonly args: readonly Expression[];
    }
  | LoopExpression;

/** One macro: `where` selects elements, `body` is what is tested or collected. */
export interface LoopExpression {
  readonly op: "loop";
  readonly name: LoopName;
  readonly over: Expression;
  readonly variable: string;
  readonly where: Expression | undefined;
  readonly body: Expression;
}

/** Whether an expression names something of the context: no macro's variable has such a name. */
export function namesContext(expression: Expression, name: string): boolean {
  if (expression.op === "name") return expression.name === name;
  return partsOf(expression).some((part) => namesContext(part, name));
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case "literal":
    case "name":
      return [];
    case "field":
    case "has":
    case "not":
    case "negate":
      return [expression.of];
    case "index":
      return [expression.of, expression.at];
    case "list":
      return expression.items;
    case "and":
    case "or":
    case "binary":
      return [expression.left, expression.right];
    case "choose":
      return [expression.when, expression.consequent, expression.alternative];
    case "call":
      return expression.args;
    case "loop": {
      const { over, where, body } = expression;
      return where === undefined ? [over, body] : [over, where, body];
    }
  }
}
