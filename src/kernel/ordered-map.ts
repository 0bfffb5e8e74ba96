/*
 * A persistent map from strings to values, in key order: a B+ tree whose nodes are never changed.
 * Every node but the root has `nodeMin` to `nodeMax` entries or children, and all leaves lie
 * equally deep, so n entries lie at most 2 + log₈(n / 16) levels deep, whatever was inserted and
 * deleted in whatever order. Wide nodes rather than a binary tree: a map of up to 32 entries is
 * two arrays, and copying those is cheaper than rebuilding a path of small objects.
 */

import { ok } from "./assert.ts";

/** Most and least entries of a node; below the least it is joined with a neighbour. */
const nodeMax = 32;
const nodeMin = 8;

/**
 * An immutable map in key order (by UTF-16 code unit); equal contents iterate equally, whatever
 * their history. `set` and `delete` cost O(log n) and return a new map that shares what is
 * unchanged with the old one, which stays valid. No content is visible as a property: compare and
 * encode maps by their entries.
 */
export class OrderedMap<V> {
  readonly #root: TreeNode<V>;

  private constructor(root: TreeNode<V>) {
    this.#root = root;
  }

  /** Makes a map without entries. */
  static empty<V>(): OrderedMap<V> {
    return new OrderedMap<V>(new Leaf<V>([], []));
  }

  /** Makes a map of entries in any order; of equal keys the last wins. Ascending keys cost O(n). */
  static fromEntries<V>(entries: Iterable<readonly [string, V]>): OrderedMap<V> {
    const listed = [...entries];
    if (isAscending(listed)) return new OrderedMap(buildTree(listed));
    const sorted = [...new Map(listed)].toSorted(([left], [right]) => (left < right ? -1 : 1));
    return new OrderedMap(buildTree(sorted));
  }

  /** The count of entries, known without counting. */
  get size(): number {
    return this.#root.size;
  }

  /** Reads the value of a key; undefined when the key is absent. */
  get(key: string): V | undefined {
    const leaf = findLeaf(this.#root, key);
    const index = lowerBound(leaf.keys, key);
    return leaf.keys[index] === key ? leaf.values[index] : undefined;
  }

  /** Tells whether a key is present. */
  has(key: string): boolean {
    const { keys } = findLeaf(this.#root, key);
    return keys[lowerBound(keys, key)] === key;
  }

  /** Returns a map with this entry; the same map when it has it already. */
  set(key: string, value: V): OrderedMap<V> {
    const made = setIn(this.#root, key, value);
    if (made === this.#root) return this;
    return new OrderedMap(made instanceof Split ? makeBranch([made.left, made.right]) : made);
  }

  /** Returns a map without this key; the same map when the key is absent. */
  delete(key: string): OrderedMap<V> {
    const made = deleteIn(this.#root, key);
    if (made === this.#root) return this;
    const [only, second] = made instanceof Branch ? made.children : [];
    return new OrderedMap(only === undefined || second !== undefined ? made : only);
  }

  /** The entry of the least key; undefined when the map is empty. */
  first(): readonly [string, V] | undefined {
    const { keys, values } = findLeaf(this.#root, "");
    return keys[0] === undefined ? undefined : [keys[0], values[0] as V];
  }

  /** Iterates lazily, in key order, over the entries whose keys are `key` or greater. */
  entriesFrom(key: string): IterableIterator<readonly [string, V]> {
    return iterateFrom(this.#root, key);
  }

  /** Iterates lazily over the keys, in order. */
  *keys(): IterableIterator<string> {
    for (const [key] of this) yield key;
  }

  /** Iterates lazily over the values, in the order of their keys. */
  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value;
  }

  /** Iterates lazily over the entries, in key order. */
  [Symbol.iterator](): IterableIterator<readonly [string, V]> {
    return iterateFrom(this.#root, "");
  }

  /** The count of levels, from 1: what the balance of the tree bounds. */
  get depth(): number {
    let depth = 1;
    for (let node = this.#root; node instanceof Branch; node = childAt(node, 0)) depth += 1;
    return depth;
  }
}

type TreeNode<V> = Leaf<V> | Branch<V>;

/** Entries in key order. */
class Leaf<V> {
  readonly keys: readonly string[];
  readonly values: readonly V[];

  constructor(keys: readonly string[], values: readonly V[]) {
    this.keys = keys;
    this.values = values;
  }

  get size(): number {
    return this.keys.length;
  }
}

/** Children in key order: the keys of child i lie from `keys[i]` on, below `keys[i + 1]`. */
class Branch<V> {
  readonly keys: readonly string[];
  readonly children: readonly TreeNode<V>[];
  readonly size: number;

  constructor(keys: readonly string[], children: readonly TreeNode<V>[], size: number) {
    this.keys = keys;
    this.children = children;
    this.size = size;
  }
}

/** What a node became that was full: two. */
class Split<V> {
  readonly left: TreeNode<V>;
  readonly right: TreeNode<V>;

  constructor(left: TreeNode<V>, right: TreeNode<V>) {
    this.left = left;
    this.right = right;
  }
}

/** The index of the first key that is not less; the count of keys when there is none. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the child in whose range a key lies. */
function childIndex(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((keys[middle] as string) <= key) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Reads a child by an index that is known to be within bounds. */
function childAt<V>(branch: Branch<V>, index: number): TreeNode<V> {
  return branch.children[index] as TreeNode<V>;
}

function findLeaf<V>(root: TreeNode<V>, key: string): Leaf<V> {
  let node = root;
  while (node instanceof Branch) node = childAt(node, childIndex(node.keys, key));
  return node;
}

function setIn<V>(node: TreeNode<V>, key: string, value: V): TreeNode<V> | Split<V> {
  if (node instanceof Leaf) return setInLeaf(node, key, value);
  const index = childIndex(node.keys, key);
  const child = childAt(node, index);
  const made = setIn(child, key, value);
  if (made === child) return node;
  if (!(made instanceof Split)) return replaceChild(node, index, made);
  const keys = node.keys.toSpliced(index + 1, 0, boundOf(made.right));
  const children = node.children.toSpliced(index, 1, made.left, made.right);
  return splitIfFull(new Branch(keys, children, node.size + 1));
}

function setInLeaf<V>(leaf: Leaf<V>, key: string, value: V): TreeNode<V> | Split<V> {
  const index = lowerBound(leaf.keys, key);
  if (leaf.keys[index] !== key) {
    const keys = leaf.keys.toSpliced(index, 0, key);
    return splitIfFull(new Leaf(keys, leaf.values.toSpliced(index, 0, value)));
  }
  if (Object.is(leaf.values[index], value)) return leaf;
  return new Leaf(leaf.keys, leaf.values.with(index, value));
}

function deleteIn<V>(node: TreeNode<V>, key: string): TreeNode<V> {
  if (node instanceof Leaf) {
    const index = lowerBound(node.keys, key);
    if (node.keys[index] !== key) return node;
    return new Leaf(node.keys.toSpliced(index, 1), node.values.toSpliced(index, 1));
  }
  const index = childIndex(node.keys, key);
  const child = childAt(node, index);
  const made = deleteIn(child, key);
  if (made === child) return node;
  return made.keys.length < nodeMin
    ? joinNeighbours(node, index, made)
    : replaceChild(node, index, made);
}

function replaceChild<V>(branch: Branch<V>, index: number, child: TreeNode<V>): Branch<V> {
  const size = branch.size - childAt(branch, index).size + child.size;
  return new Branch(branch.keys, branch.children.with(index, child), size);
}

/** Joins a child that has become too small with its neighbour; two come out when one is too big. */
function joinNeighbours<V>(branch: Branch<V>, index: number, small: TreeNode<V>): Branch<V> {
  const at = index > 0 ? index - 1 : 0;
  const neighbour = childAt(branch, index > 0 ? at : 1);
  const joined = index > 0 ? concat(neighbour, small) : concat(small, neighbour);
  const made = splitIfFull(joined);
  const nodes = made instanceof Split ? [made.left, made.right] : [made];
  const keys = branch.keys.toSpliced(at + 1, 1, ...nodes.slice(1).map(boundOf));
  return new Branch(keys, branch.children.toSpliced(at, 2, ...nodes), branch.size - 1);
}

/**
 * A bound that no key of the node lies below. On the left edge of the tree keys may lie below it:
 * nothing is to the left of them, so the first bound of a branch is never compared with.
 */
function boundOf<V>(node: TreeNode<V>): string {
  return node.keys[0] as string;
}

function concat<V>(left: TreeNode<V>, right: TreeNode<V>): TreeNode<V> {
  const keys = [...left.keys, ...right.keys];
  if (left instanceof Leaf && right instanceof Leaf) {
    return new Leaf(keys, [...left.values, ...right.values]);
  }
  ok(left instanceof Branch && right instanceof Branch, "neighbours lie equally deep");
  return makeBranch([...left.children, ...right.children], keys);
}

function splitIfFull<V>(node: TreeNode<V>): TreeNode<V> | Split<V> {
  if (node.keys.length <= nodeMax) return node;
  const half = node.keys.length >>> 1;
  return new Split(part(node, 0, half), part(node, half, node.keys.length));
}

function part<V>(node: TreeNode<V>, start: number, end: number): TreeNode<V> {
  const keys = node.keys.slice(start, end);
  return node instanceof Leaf
    ? new Leaf(keys, node.values.slice(start, end))
    : makeBranch(node.children.slice(start, end), keys);
}

function makeBranch<V>(
  children: readonly TreeNode<V>[],
  keys: readonly string[] = children.map(boundOf),
): Branch<V> {
  const size = children.reduce((sum, child) => sum + child.size, 0);
  return new Branch(keys, children, size);
}

function isAscending(entries: readonly (readonly [string, unknown])[]): boolean {
  return entries.every(([key], index) => {
    const before = entries[index - 1];
    return before === undefined || before[0] < key;
  });
}

/** Builds bottom-up, with room in every node for a few more. */
function buildTree<V>(entries: readonly (readonly [string, V])[]): TreeNode<V> {
  let level: readonly TreeNode<V>[] = inEvenParts(entries).map(
    (some) =>
      new Leaf<V>(
        some.map(([key]) => key),
        some.map(([, value]) => value),
      ),
  );
  while (level.length > 1) level = inEvenParts(level).map((nodes) => makeBranch(nodes));
  return level[0] ?? new Leaf<V>([], []);
}

/** Cuts into parts that are about three quarters of a full node, or into one that fits a node. */
function inEvenParts<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= nodeMax) return [items];
  const count = Math.ceil(items.length / ((nodeMax * 3) / 4));
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * items.length) / count);
    return items.slice(start, Math.floor(((index + 1) * items.length) / count));
  });
}

function* iterateFrom<V>(
  root: TreeNode<V>,
  key: string,
): Generator<readonly [string, V], void, undefined> {
  const pending: TreeNode<V>[] = [];
  let node = root;
  while (node instanceof Branch) {
    const index = childIndex(node.keys, key);
    pushReversed(pending, node.children, index + 1);
    node = childAt(node, index);
  }
  yield* entriesOf(node, lowerBound(node.keys, key));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next instanceof Branch) pushReversed(pending, next.children, 0);
    else yield* entriesOf(next, 0);
  }
}

function pushReversed<T>(stack: T[], items: readonly T[], start: number): void {
  for (let index = items.length - 1; index >= start; index -= 1) stack.push(items[index] as T);
}

function* entriesOf<V>(
  leaf: Leaf<V>,
  start: number,
): Generator<readonly [string, V], void, undefined> {
  for (let index = start; index < leaf.keys.length; index += 1) {
    yield [leaf.keys[index] as string, leaf.values[index] as V];
  }
}
