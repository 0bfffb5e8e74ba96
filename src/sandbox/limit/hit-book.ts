import type { HitMeasure, LimitHit } from "../../kernel/worker/limit.ts";
import type { Cut } from "./cut.ts";
import { openFilesOf } from "./open-files.ts";
import { scratchOf } from "./scratch.ts";
import { type Held, Tally } from "./tally.ts";

/** What is looked at of a sandbox that runs. */
export interface Inside {
  /** Its processes; none where they are not listed cheaply. */
  readonly pids: readonly number[];
  /** One of them that sees what is the sandbox's own, and where that is. */
  readonly scratch: { readonly pid: number; readonly at: string } | undefined;
}

/** What one process knows of the limits that the sandboxes in its hands have hit. */
export class HitBook {
  readonly #tallies = new Map<string, Tally>();

  /** Begins to count for a sandbox that this process starts. */
  begin(instance: string, held: Held): void {
    this.#tallies.set(instance, new Tally(held));
  }

  /** Forgets a sandbox. */
  drop(instance: string): void {
    this.#tallies.delete(instance);
  }

  /** How much output of a sandbox is kept, bytes; undefined where that was not said here. */
  outputBytesOf(instance: string): number | undefined {
    return this.#tallies.get(instance)?.held.output_bytes;
  }

  /** Takes note that the time of a sandbox is over. */
  timeOver(instance: string, spent: HitMeasure): void {
    this.#tallies.get(instance)?.set("wall_ms", spent);
  }

  /** Takes note that the output of a sandbox was cut to what is kept of it. */
  cut(instance: string, bytesMax: number, cut: Cut): void {
    this.#tallies.get(instance)?.cut(bytesMax, cut);
  }

  /** Whether something of a sandbox has to be looked at to be seen. */
  needsLook(instance: string): boolean {
    const { open_files, scratch_bytes } = this.#tallies.get(instance)?.held ?? {};
    return open_files !== undefined || scratch_bytes !== undefined;
  }

  /** Looks at what nobody counts. */
  look(instance: string, { pids, scratch }: Inside): void {
    const tally = this.#tallies.get(instance);
    const { open_files: value, scratch_bytes } = tally?.held ?? {};
    if (tally === undefined) return;
    if (value !== undefined)
      tally.look("open_files", { value, use: Math.max(0, ...pids.map(openFilesOf)) });
    if (scratch_bytes === undefined || scratch === undefined) return;
    const seen = scratchOf(scratch.pid, scratch.at);
    if (seen !== undefined) tally.look("scratch_bytes", seen);
  }

  /** All that is known to have been hit, what others have counted too; of each the most. */
  hits(instance: string, counted: readonly LimitHit[], overflow?: HitMeasure): LimitHit[] {
    const tally = this.#tallies.get(instance);
    if (overflow !== undefined) tally?.set("output_bytes", overflow);
    const most = new Map<string, LimitHit>();
    for (const hit of [...counted, ...(tally?.hits ?? [])])
      if (hit.count > (most.get(hit.limit)?.count ?? 0)) most.set(hit.limit, hit);
    return [...most.values()];
  }
}
