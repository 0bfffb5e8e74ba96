import type { BusDelivery } from "../../ports/bus.ts";
import { busFrame } from "./frames.ts";

/** What one reader may have unread of the bus. */
const messagesMax = 256;
const bytesMax = 2 ** 20;

/** What a reader has not read yet of the bus: bounded, the oldest go first, and that is said. */
export class BusQueue {
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #lostCount = 0;
  readonly #onLost: (count: number) => void;

  constructor(onLost: (count: number) => void) {
    this.#onLost = onLost;
  }

  /** Adds an event that is written already. */
  add(bytes: Uint8Array): void {
    this.#frames.push(bytes);
    this.#bytes += bytes.length;
    let dropped = 0;
    while (this.#frames.length > messagesMax || this.#bytes > bytesMax) {
      const oldest = this.#frames.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.length;
      dropped += 1;
    }
    if (dropped > 0) this.#onLost(dropped);
    this.#lostCount += dropped;
  }

  /** Takes all of it; what was lost came before. */
  take(): readonly Uint8Array[] {
    const lost: readonly BusDelivery[] =
      this.#lostCount === 0 ? [] : [{ kind: "lost", count: this.#lostCount }];
    const taken = [...lost.map(busFrame), ...this.#frames];
    [this.#frames, this.#bytes, this.#lostCount] = [[], 0, 0];
    return taken;
  }
}
