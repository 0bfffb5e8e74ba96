import { memoryPulse } from "../../src/pulse/memory.ts";
import { Fault } from "../../src/ports/fault.ts";
import type { Pulse, PulseReading } from "../../src/ports/pulse.ts";
import type { Timers } from "../../src/runtime/timers.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { World } from "../world/world.ts";

/** What one round of a watcher has read; no rows where it could not. */
export interface Read {
  /** Monotonic ms, before it asked and after it was answered. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly reading: PulseReading | null;
}

/** How likely each beat is lost, late or doubled, and each reading fails or is late. */
const TROUBLE = { lost: 0.25, late: 0.25, doubled: 0.1, unread: 0.05, slow: 0.1 } as const;

/** How long a beat or a reading takes at the most, in beats of the contract. */
const LATE_BEATS_MAX = 2;

/**
 * The store of beats of a simulated host: the real one in memory, behind a way on which beats get
 * lost, late and doubled as long as the storm lasts, and which is emptied now and then.
 */
export class SimulatedPulse {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #timers: Timers;
  readonly #beatEveryMs: number;
  #store: Pulse;
  #storeCount = 0;
  isStormy = true;

  constructor(world: World, so: { readonly timers: Timers; readonly beatEveryMs: number }) {
    this.#world = world;
    this.#random = world.random.fork("pulse");
    this.#timers = so.timers;
    this.#beatEveryMs = so.beatEveryMs;
    this.#store = this.#fresh();
  }

  /** The latest that a beat can come which was sent in the storm, ms after it was sent. */
  get lateMsMax(): number {
    return LATE_BEATS_MAX * this.#beatEveryMs;
  }

  /** A worker beats; whether and when that arrives is another matter. */
  beat(worker: string): void {
    if (this.#meets("lost")) return;
    const count = this.#meets("doubled") ? 2 : 1;
    for (let sent = 0; sent < count; sent += 1) {
      if (this.#meets("late"))
        this.#timers.after(this.#delayMs(), () => void this.#store.beat(worker));
      else void this.#store.beat(worker);
    }
  }

  /** All that was counted is gone. */
  empty(): void {
    this.#world.happen("pulse emptied");
    this.#store = this.#fresh();
  }

  /** The store as one watcher reaches it; what it reads is noted. */
  reachedBy(timers: Timers, reads: Read[]): Pulse {
    return {
      beat: async () => undefined,
      read: async () => {
        const { clock } = this.#world;
        const fromMs = clock.monotonicMs();
        const note = (reading: PulseReading | null): void =>
          void reads.push({ fromMs, toMs: clock.monotonicMs(), reading });
        if (this.#meets("slow")) await timers.wait(this.#delayMs());
        if (this.#meets("unread")) {
          note(null);
          throw new Fault("storage_busy", "the beats must be free to be read, they are not");
        }
        const read = await this.#store.read();
        const generation = `${read.generation} ${reads.length}`;
        const isAnew = this.#world.fault === "silence-begins-anew";
        const reading = isAnew ? { ...read, generation } : read;
        note(reading);
        return reading;
      },
      forget: async (worker) => this.#store.forget(worker),
      close: async () => undefined,
    };
  }

  #fresh(): Pulse {
    this.#storeCount += 1;
    const random = this.#random.fork(`store ${this.#storeCount}`);
    return memoryPulse({ clock: this.#world.clock, random });
  }

  #meets(trouble: keyof typeof TROUBLE): boolean {
    const meets = this.isStormy && this.#random.chance(TROUBLE[trouble]);
    if (meets) this.#world.happen(`beat or reading ${trouble}`);
    return meets;
  }

  #delayMs(): number {
    return 1 + this.#random.below(this.lateMsMax);
  }
}
