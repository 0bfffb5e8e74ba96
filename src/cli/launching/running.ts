import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { Camel } from "../../library/names.ts";
import type { OutputFrame } from "../../output/frame.ts";

/** How a worker ended, as far as whoever waits for it hears. */
export interface End {
  readonly outcome: Camel<Outcome>;
  readonly reason: string;
  /** The place of the entry that says so; absent for a worker that is told by its socket. */
  readonly seq?: number;
  /** That it ended because its supervisor was lost; how its command ended, nobody has seen. */
  readonly isSupervisorLost?: boolean;
}

/** A worker that was started by this call and may be waited for. */
export interface Running {
  readonly id: string;
  /** What it writes, until it has ended; null where it cannot be read from here. */
  readonly output: AsyncIterable<OutputFrame> | null;
  /** Resolves when its end is journaled. */
  readonly ended: Promise<End>;
  /** Stops it and all below it; resolves when that is done, or given up. */
  stop(graceMs: number): Promise<void>;
  /** Lets go of it without stopping it; safe to call twice. */
  close(): void;
}
