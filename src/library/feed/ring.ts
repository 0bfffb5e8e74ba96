/**
 * The newest items of a stream, oldest first. When it is full the oldest give way, and are counted:
 * nothing is lost in silence.
 */
export class Ring<T> {
  readonly #itemsMax: number;
  readonly #items: T[] = [];
  #next = 0;
  #droppedCount = 0;

  /** `itemsMax` may be 0: then everything is counted and nothing kept. */
  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  /** How many have given way so far. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Adds an item; its cost does not grow with the ring. */
  add(item: T): void {
    if (this.#items.length < this.#itemsMax) {
      this.#items.push(item);
      return;
    }
    this.#droppedCount += 1;
    if (this.#itemsMax === 0) return;
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#itemsMax;
  }

  /** A copy of what is kept now, which later items do not change. */
  list(): readonly T[] {
    return Object.freeze([...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]);
  }
}
