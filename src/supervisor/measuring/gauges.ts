import type { UseMeasures } from "../../kernel/condition/context/measure.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import type { Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";
import type { SandboxUse } from "../../ports/sandbox.ts";

/** How long one look at all sandboxes may take, ms: it reads what the kernel has in memory. */
const sampleMs = 2_000;

/** What is known of one worker's use, at its last two samples. */
export interface Gauge extends UseMeasures {
  /** Since its start. */
  readonly cpu_ms?: number;
}

interface Sample {
  readonly atMs: number;
  /** Undefined for what has just ended, and where nothing can be measured. */
  readonly use: SandboxUse | undefined;
}

/** Measures what the sandboxes of this supervisor use, all of them in one pass. */
export class Gauges {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  #samples: ReadonlyMap<string, Sample> = new Map();
  #gauges: ReadonlyMap<string, Gauge> = new Map();

  constructor(seat: Seat, sandboxes: Sandboxes) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
  }

  /**
   * Samples these workers. Whoever could not be measured in time has no gauge in this round; who
   * is sampled for the first time has none either: there is nothing to tell its cpu from.
   */
  async sample(workers: readonly string[]): Promise<ReadonlyMap<string, Gauge>> {
    const { clock, timers } = this.#seat;
    const taken = new Map<string, Sample>();
    const looking = Promise.all(
      workers.map(async (id) => {
        const use = await this.#sandboxes.use(id);
        taken.set(id, { atMs: clock.monotonicMs(), use });
      }),
    );
    const outcome = await settledWithin(looking, sampleMs, timers);
    if (outcome.kind === "failed") throw outcome.error;
    const before = this.#samples;
    // What comes in later is not to change what was taken in by now.
    this.#samples = new Map(taken);
    const gauges = new Map<string, Gauge>();
    for (const [id, sample] of this.#samples) {
      const last = before.get(id);
      if (last !== undefined) gauges.set(id, gaugeBetween(last, sample));
    }
    this.#gauges = gauges;
    return gauges;
  }

  /** What all that were sampled use together; absent where none of several could be measured. */
  total(): UseMeasures {
    const uses = [...this.#samples.values()].map(({ use }) => use ?? {});
    const [memory, processes] = [sumOf(uses, "memory_bytes"), sumOf(uses, "processes")];
    // Whoever is new counts from its second sample on.
    const isCounted = sumOf(uses, "cpu_ms") !== undefined;
    const cpu = isCounted ? (sumOf([...this.#gauges.values()], "cpu_milli") ?? 0) : undefined;
    return {
      ...(cpu !== undefined && { cpu_milli: cpu }),
      ...(memory !== undefined && { memory_bytes: memory }),
      ...(processes !== undefined && { processes }),
    };
  }
}

function sumOf<K extends string>(
  uses: readonly Readonly<Partial<Record<K, number>>>[],
  field: K,
): number | undefined {
  const amounts = uses.map((use) => use[field]).filter((amount) => amount !== undefined);
  if (amounts.length === 0 && uses.length > 0) return undefined;
  return amounts.reduce<number>((sum, amount) => sum + amount, 0);
}

function gaugeBetween(last: Sample, { atMs, use = {} }: Sample): Gauge {
  const { cpu_ms, memory_bytes, processes } = use;
  const [overMs, beforeMs] = [atMs - last.atMs, last.use?.cpu_ms];
  const isCounted = cpu_ms !== undefined && beforeMs !== undefined && overMs > 0;
  const usedMs = isCounted ? Math.max(0, cpu_ms - beforeMs) : 0;
  return {
    ...(isCounted && { cpu_milli: Math.round((usedMs * 1_000) / overMs) }),
    ...(memory_bytes !== undefined && { memory_bytes }),
    ...(processes !== undefined && { processes }),
    ...(cpu_ms !== undefined && { cpu_ms: Math.floor(cpu_ms) }),
  };
}
