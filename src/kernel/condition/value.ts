/**
 * A value while a condition is evaluated. A bigint is CEL's int (64 bits), a number its double.
 * What comes out of JSON is bound only when it is read, so untouched state costs nothing.
 */
export type Value = null | boolean | string | bigint | number | CelList | CelMap;

/** Why an evaluation has no value; `final` ones are not masked by `||`, `&&` or a macro. */
export class Failure {
  readonly message: string;
  readonly final: boolean;

  constructor(message: string, { final = false }: { readonly final?: boolean } = {}) {
    this.message = message;
    this.final = final;
  }
}

/** A list out of JSON, or one that the condition made. */
export class CelList {
  readonly #items: readonly unknown[];
  readonly #isBound: boolean;

  private constructor(items: readonly unknown[], isBound: boolean) {
    this.#items = items;
    this.#isBound = isBound;
  }

  /** Wraps a JSON array; its elements are bound when they are read. */
  static ofJson(items: readonly unknown[]): CelList {
    return new CelList(items, false);
  }

  /** Wraps values that the condition itself has made. */
  static ofValues(items: readonly Value[]): CelList {
    return new CelList(items, true);
  }

  get size(): number {
    return this.#items.length;
  }

  /** Reads one element; undefined beyond either end. */
  at(index: number): Value | undefined {
    const item = this.#items[index];
    // A list of values holds nothing but values; the doubles in it must not become ints.
    return this.#isBound ? (item as Value | undefined) : bind(item);
  }

  /** Reads all elements; what JSON cannot hold reads as null. */
  elements(): Value[] {
    return this.#items.map((_, index) => this.at(index) ?? null);
  }
}

/** A map out of JSON. Only its own keys exist: nothing of a JavaScript prototype can be reached. */
export class CelMap {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: object) {
    // Read by own key alone, so any object will do.
    this.#fields = fields as Readonly<Record<string, unknown>>;
  }

  get size(): number {
    return Object.keys(this.#fields).length;
  }

  /** Reads one field; undefined when the key is absent. */
  get(key: string): Value | undefined {
    return Object.hasOwn(this.#fields, key) ? bind(this.#fields[key]) : undefined;
  }

  /** Lists the keys in an order that does not depend on how the object was built. */
  keys(): string[] {
    return Object.keys(this.#fields).toSorted();
  }
}

/**
 * Binds a JSON value: whole numbers within ±2^53 become int, all other numbers double.
 * What JSON does not have (undefined, functions, symbols) does not exist for a condition.
 */
export function bind(value: unknown): Value | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== "object") return undefined;
  return Array.isArray(value) ? CelList.ofJson(value) : new CelMap(value);
}

/** Names the CEL type of a value, for messages. */
export function typeName(value: Value): string {
  if (value === null) return "null";
  if (value instanceof CelList) return "list";
  if (value instanceof CelMap) return "map";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "double";
  return typeof value === "boolean" ? "bool" : "string";
}

/** The failure of a value that should be of another type; a failure stays what it is. */
export function wrongType(value: Value | Failure, expected: string): Failure {
  return value instanceof Failure ? value : new Failure(`${expected}, got ${typeName(value)}`);
}
