/** How long one may keep its turn from others, ms. */
const turnMs = 250;

/**
 * Lets a few at a time do what takes the processor, so that of hundreds the first are through soon
 * and not all of them at last. One that waits for something else holds up nobody for long.
 */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `count`: how many have their turn at the same time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Does a piece of work when its turn has come; answers, and throws, what that does. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    let isOver = false;
    const pass = (): void => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    const late = setTimeout(pass, turnMs).unref();
    try {
      return await work();
    } finally {
      clearTimeout(late);
      pass();
    }
  }
}
