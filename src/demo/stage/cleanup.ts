import { setTimeout as after } from "node:timers/promises";
import type { Fleet } from "../../index.ts";
import type { Census } from "../outside/census.ts";
import { isRunning, type Row } from "../outside/table.ts";
import type { Premises } from "./premises.ts";

/** How long a supervisor is given to leave when it is told to, ms. */
const LEAVES_MS_MAX = 20_000;
const LOOK_EVERY_MS = 50;

/**
 * How often in a row nothing must be found before nothing is left: what is just being started
 * bears no mark yet, and whoever started it may be gone already.
 */
const QUIET_LOOKS = 6;

/** How long what is left is ended again and again, ms. */
const SWEEP_MS_MAX = 10_000;

/** What a demo has taken, as far as it came. */
interface Taken {
  fleet?: Fleet;
  census?: Census;
  /** Ends when the fleet's handle is closed. */
  following?: Promise<void>;
}

/** Ends everything that a demo has started and removes what it has written, however it ends. */
export class Cleanup {
  readonly #premises: Premises;
  readonly #tell: (line: string) => void;
  #taken: Taken = {};

  constructor(premises: Premises, tell: (line: string) => void) {
    this.#premises = premises;
    this.#tell = tell;
    process.on("exit", this.#atExit);
  }

  /** Takes note of something that is to be given back. */
  take(taken: Taken): void {
    this.#taken = { ...this.#taken, ...taken };
  }

  /**
   * Gives everything back; keeps the folder if it is to be. Throws an Error that names the
   * processes which could not be ended, and as the file system does.
   */
  async run({ isKept }: { readonly isKept: boolean }): Promise<void> {
    const { fleet, census, following } = this.#taken;
    // What fails here is made up for by what follows: in the end everything is killed by its pid.
    const quietly = async (step: () => Promise<unknown> | undefined): Promise<void> => {
      await step()?.catch(() => undefined);
    };
    if (fleet?.status !== "killed")
      await quietly(() => fleet?.kill({ reason: "the demo ends early" }));
    await this.#endSupervisor();
    await quietly(() => fleet?.close());
    await quietly(() => following);
    const left = this.#sweep();
    census?.close();
    if (isKept) this.#premises.removeRuntime();
    else this.#premises.remove();
    process.off("exit", this.#atExit);
    if (left !== "") throw new Error(`what a demo has started must end with it, ${left} did not`);
  }

  /**
   * Ends what is left until nothing is found any more, in one go: it is needed on the way out, too,
   * where nothing can be waited for. Names what does not end.
   */
  #sweep(): string {
    const { census } = this.#taken;
    if (census === undefined) return "";
    const look = (): readonly Row[] => {
      const { supervisor } = census;
      const isLeft = supervisor !== undefined && isRunning(supervisor);
      return isLeft ? [supervisor, ...census.left()] : census.left();
    };
    const deadlineAtMs = performance.now() + SWEEP_MS_MAX;
    let left = look();
    for (let quiet = 0; quiet < QUIET_LOOKS && performance.now() < deadlineAtMs; left = look()) {
      quiet = left.length === 0 ? quiet + 1 : 0;
      for (const row of left) endNow(row);
      pause(LOOK_EVERY_MS);
    }
    return left.map(({ pid }) => `process ${pid}`).join(", ");
  }

  async #endSupervisor(): Promise<void> {
    const supervisor = this.#taken.census?.supervisor;
    if (supervisor === undefined || !isRunning(supervisor)) return;
    signal(supervisor, "SIGTERM");
    const deadlineAtMs = performance.now() + LEAVES_MS_MAX;
    while (isRunning(supervisor) && performance.now() < deadlineAtMs) await after(LOOK_EVERY_MS);
    endNow(supervisor);
  }

  /** Who insists on leaving at once leaves nothing behind either: the last chance, in one go. */
  readonly #atExit = (): void => {
    const { census } = this.#taken;
    // What it is just starting is known by it alone: it must be seen while it is there. Then it is
    // the first to end; on the upper rungs its workers end with it.
    census?.look();
    const left = this.#sweep();
    this.#premises.remove();
    const isClean = left === "";
    this.#tell(isClean ? "At once: all was ended and removed." : `At once: ${left} did not end.`);
  };
}

function endNow(row: Row): void {
  if (isRunning(row)) signal(row, "SIGKILL");
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function signal({ pid }: Row, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}
