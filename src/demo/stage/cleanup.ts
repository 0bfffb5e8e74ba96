import { setTimeout as after } from "node:timers/promises";
import type { Fleet } from "../../index.ts";
import type { Census } from "../outside/census.ts";
import { isRunning, type Row } from "../outside/table.ts";
import type { Premises } from "./premises.ts";

/** How long a supervisor is given to leave when it is told to, ms. */
const LEAVES_MS_MAX = 20_000;
const LOOK_EVERY_MS = 50;

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
  #taken: Taken = {};

  constructor(premises: Premises) {
    this.#premises = premises;
    process.on("exit", this.#atExit);
  }

  /** Takes note of something that is to be given back. */
  take(taken: Taken): void {
    this.#taken = { ...this.#taken, ...taken };
  }

  /** Gives everything back; keeps the folder if it is to be. */
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
    for (const row of census?.left() ?? []) endNow(row);
    census?.close();
    if (isKept) this.#premises.removeRuntime();
    else this.#premises.remove();
    process.off("exit", this.#atExit);
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
    // First the one that would start more; on the upper rungs its workers end with it.
    if (census?.supervisor !== undefined) endNow(census.supervisor);
    for (const row of census?.left() ?? []) endNow(row);
    this.#premises.remove();
  };
}

function endNow(row: Row): void {
  if (isRunning(row)) signal(row, "SIGKILL");
}

function signal({ pid }: Row, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}
