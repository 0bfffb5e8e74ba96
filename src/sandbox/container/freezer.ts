import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import { type Answer, refused } from "./engine/engine.ts";
import { type ContainerState, isUnstarted, isUp } from "./engine/state.ts";
import { type ContainerWorld, nameOf } from "./world.ts";

const lookEveryMs = 10;

/** Pauses containers and lets them run again: in the kernel, by their control groups. */
export class Freezer {
  readonly #world: ContainerWorld;

  constructor(world: ContainerWorld) {
    this.#world = world;
  }

  /** Freezes a sandbox, one that is being started as soon as it runs. */
  async freeze(instance: string): Promise<void> {
    const untilMs = performance.now() + LIMITS.killSweepMs;
    for (;;) {
      const state = await this.#state(instance);
      if (state?.status === "paused") return;
      if (state === undefined || (!isUp(state) && !isUnstarted(state))) return;
      const answer = isUp(state) ? await this.#world.engine.pause(state.id) : undefined;
      await this.#demandTime(instance, { untilMs, what: "be frozen", answer });
    }
  }

  /** Lets a sandbox run again. */
  async thaw(instance: string): Promise<void> {
    const untilMs = performance.now() + LIMITS.killSweepMs;
    for (;;) {
      const state = await this.#state(instance);
      if (state?.status !== "paused") return;
      const answer = await this.#world.engine.unpause(state.id);
      await this.#demandTime(instance, { untilMs, what: "run", answer });
    }
  }

  #state(instance: string): Promise<ContainerState | undefined> {
    return this.#world.engine.inspect(nameOf(this.#world, instance));
  }

  async #demandTime(
    instance: string,
    so: {
      readonly untilMs: number;
      readonly what: string;
      readonly answer: Answer<unknown> | undefined;
    },
  ): Promise<void> {
    if (performance.now() < so.untilMs) {
      await sleep(so.answer?.ok === true ? 0 : lookEveryMs);
      return;
    }
    if (so.answer?.ok === false) throw refused(`have ${instance} ${so.what}`, so.answer);
    const message = `${instance} must ${so.what} within ${LIMITS.killSweepMs} ms, it does not`;
    throw new Fault("sandbox_failed", message, { retryable: true });
  }
}
