import { OrderedMap } from "../ordered-map.ts";
import type { Pattern } from "../region/pattern.ts";
import { PatternTree } from "./pattern-tree.ts";
import { BACKWARD, FORWARD } from "./reading.ts";
import { walkTree, type Quest, type Walk } from "./tree-walk.ts";

/** Who holds which patterns, found by what they meet; immutable. */
export class HeldPatterns {
  /** `pattern NUL holder` of each: neither has a NUL. */
  readonly #held: OrderedMap<true>;
  readonly #forward: PatternTree;
  readonly #backward: PatternTree;

  private constructor(held: OrderedMap<true>, forward: PatternTree, backward: PatternTree) {
    this.#held = held;
    this.#forward = forward;
    this.#backward = backward;
  }

  /** Makes one of nothing. */
  static empty(): HeldPatterns {
    const trees = [PatternTree.empty(FORWARD), PatternTree.empty(BACKWARD)] as const;
    return new HeldPatterns(OrderedMap.empty(), ...trees);
  }

  /** The same with a pattern that somebody holds, and did not hold. */
  add(pattern: Pattern, holder: string): HeldPatterns {
    const held = this.#held.set(keyOf(pattern, holder), true);
    if (this.#isHeld(pattern)) return new HeldPatterns(held, this.#forward, this.#backward);
    return new HeldPatterns(held, this.#forward.add(pattern), this.#backward.add(pattern));
  }

  /** The same without a pattern that somebody holds. */
  remove(pattern: Pattern, holder: string): HeldPatterns {
    const held = this.#held.delete(keyOf(pattern, holder));
    const left = new HeldPatterns(held, this.#forward, this.#backward);
    if (left.#isHeld(pattern)) return left;
    return new HeldPatterns(held, this.#forward.remove(pattern), this.#backward.remove(pattern));
  }

  /**
   * The holders of every pattern that shares a resource with the quest's, save what lies in what
   * is left out; a holder of several may come more than once. Both ways to read patterns are
   * walked in turn, step by step, and the shorter walk ends the search: one path is found quickly
   * from the front, all that ends in `.md` from the back.
   */
  *meet(quest: Quest): Generator<string, void, undefined> {
    const shared = { ...quest, asked: new Set<Pattern>() };
    const walks = [walkTree(this.#forward, shared), walkTree(this.#backward, shared)];
    const met = new Set<string>();
    for (const { text } of inTurn(walks)) {
      if (met.has(text)) continue;
      met.add(text);
      yield* this.#holdersOf(text);
    }
  }

  #isHeld({ text }: Pattern): boolean {
    return this.#holdersOf(text).next().done !== true;
  }

  *#holdersOf(text: string): Generator<string, void, undefined> {
    const start = `${text}\0`;
    for (const [key] of this.#held.entriesFrom(start)) {
      if (!key.startsWith(start)) return;
      yield key.slice(start.length);
    }
  }
}

function keyOf({ text }: Pattern, holder: string): string {
  return `${text}\0${holder}`;
}

/** What walks meet that each meet all there is: until the first has ended. */
function* inTurn(walks: readonly Walk[]): Generator<Pattern, void, undefined> {
  for (;;)
    for (const walk of walks) {
      const { done, value } = walk.next();
      if (done === true) return;
      if (value !== undefined) yield value;
    }
}
