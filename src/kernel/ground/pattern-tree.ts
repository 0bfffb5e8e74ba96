/*
 * Patterns as a tree of their steps, so that those that meet a pattern are found by walking both
 * at once. A fork is where two patterns have come by the same steps; where a pattern goes on alone
 * it is a leaf, whatever steps it still has. So the shape follows from the patterns alone, not
 * from their history.
 *
 *     fork ─ src ─ fork ─ api ── src/api/**   (a leaf)
 *                    └── *.ts ── src/*.ts     (a leaf)
 *
 * Leaves are patterns as they are parsed, nothing else: a tree of a hundred thousand is small.
 */

import { ok } from "../assert.ts";
import { OrderedMap } from "../ordered-map.ts";
import type { Pattern, Step } from "../region/pattern.ts";
import { keyOfStep, type Reading } from "./reading.ts";

/** A part of a tree: patterns that began with the same steps, or one alone. */
export type Branch = Fork | Pattern;

/** Two or more patterns that began with the same steps. */
export class Fork {
  /** The last step that they have in common; undefined at a root. */
  readonly step: Step | undefined;
  /** How many steps they have in common. */
  readonly depth: number;
  /** By the key of the step that follows. */
  readonly children: OrderedMap<Branch>;

  constructor(step: Step | undefined, depth: number, children: OrderedMap<Branch>) {
    this.step = step;
    this.depth = depth;
    this.children = children;
  }
}

/** A set of patterns that were parsed with one folding; immutable. */
export class PatternTree {
  readonly #roots: OrderedMap<Branch>;
  /** The way its patterns are read. */
  readonly reading: Reading;

  private constructor(roots: OrderedMap<Branch>, reading: Reading) {
    this.#roots = roots;
    this.reading = reading;
  }

  /** Makes a tree of nothing. */
  static empty(reading: Reading): PatternTree {
    return new PatternTree(OrderedMap.empty(), reading);
  }

  /** The tree with a pattern, which must not be in it. */
  add(pattern: Pattern): PatternTree {
    const root = this.#roots.get(pattern.namespace);
    const made = root === undefined ? pattern : this.#insert(root, pattern, 0);
    return new PatternTree(this.#roots.set(pattern.namespace, made), this.reading);
  }

  /** The tree without a pattern, which must be in it: by its text, not as an object. */
  remove(pattern: Pattern): PatternTree {
    const { namespace } = pattern;
    const made = this.#take(this.#roots.get(namespace), pattern);
    const roots =
      made === undefined ? this.#roots.delete(namespace) : this.#roots.set(namespace, made);
    return new PatternTree(roots, this.reading);
  }

  /** All that is in it, by namespace. */
  get roots(): OrderedMap<Branch> {
    return this.#roots;
  }

  #insert(branch: Branch, pattern: Pattern, depth: number): Fork {
    if (branch instanceof Fork) {
      const key = keyOfStep(this.reading, pattern, depth);
      const child = branch.children.get(key);
      const made = child === undefined ? pattern : this.#insert(child, pattern, depth + 1);
      return new Fork(branch.step, depth, branch.children.set(key, made));
    }
    ok(branch.text !== pattern.text, "a pattern is added once");
    const step = depth === 0 ? undefined : this.reading.stepAt(branch, depth - 1);
    const key = keyOfStep(this.reading, branch, depth);
    const alone = new Fork(step, depth, OrderedMap.fromEntries<Branch>([[key, branch]]));
    return this.#insert(alone, pattern, depth);
  }

  #take(branch: Branch | undefined, pattern: Pattern): Branch | undefined {
    ok(branch !== undefined, "only a pattern that is there is removed");
    if (!(branch instanceof Fork)) {
      ok(branch.text === pattern.text, "only a pattern that is there is removed");
      return undefined;
    }
    const { step, depth } = branch;
    const key = keyOfStep(this.reading, pattern, depth);
    const made = this.#take(branch.children.get(key), pattern);
    const children =
      made === undefined ? branch.children.delete(key) : branch.children.set(key, made);
    const only = children.size === 1 ? children.first()?.[1] : undefined;
    // One that is alone again is a leaf, as if the other had never been there.
    return only === undefined || only instanceof Fork ? new Fork(step, depth, children) : only;
  }
}
