import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../kernel/limits.ts";
import type { Log } from "../../ports/log.ts";
import { within } from "../end/within.ts";
import { noteDocument } from "../folder/document.ts";
import { type Exit, OWN_FILES } from "../folder/notes.ts";
import type { Engine } from "./engine/engine.ts";
import type { Pump } from "./pump.ts";
import { isUp } from "./engine/state.ts";

/** How long an engine that did not answer is left alone before it is asked again, ms. */
const againMs = 500;

/** How often a container whose output has ended is looked at until it counts as ended, ms. */
const lookEveryMs = 20;

/** How long the output of what has ended may take to be taken before its end is told, ms. */
const drainMs = 2_000;

/** A container that this process has started. */
export interface Started {
  readonly instance: string;
  readonly id: string;
  readonly folder: string;
  readonly pump: Pump;
}

interface Vigil extends Started {
  readonly exit: Promise<Exit | undefined>;
  isRunning: boolean;
}

/** Watches the containers that this process has started until they end. */
export class Vigils {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #vigils = new Map<string, Vigil>();
  readonly #listeners = new Set<(instance: string) => void>();
  readonly #closing = new AbortController();

  constructor(engine: Engine, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /** Watches a container that was just started. */
  watch(started: Started): void {
    const exit = this.#untilOver(started).finally(() => {
      vigil.isRunning = false;
    });
    const vigil: Vigil = { ...started, exit, isRunning: true };
    this.#vigils.set(started.instance, vigil);
    void exit.then((how) => this.#tell(vigil, how));
  }

  /** Whether this process has started it, and it is not known to have ended. */
  isRunning(instance: string): boolean {
    return this.#vigils.get(instance)?.isRunning === true;
  }

  /** What this process has started by that name, and not forgotten. */
  of(instance: string): Started | undefined {
    return this.#vigils.get(instance);
  }

  /** How a container ended, when this process is told in time. */
  async exitOf(instance: string, withinMs: number): Promise<Exit | undefined> {
    const started = this.#vigils.get(instance);
    return started && within(started.exit, withinMs);
  }

  /** Calls `listener` when one has ended. Returns how to stop it. */
  onExit(listener: (instance: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  forget(instance: string): void {
    this.#vigils.delete(instance);
  }

  /** Watches nothing any more, and lets go of all output. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#listeners.clear();
    await Promise.all([...this.#vigils.values()].map(({ pump }) => pump.close()));
  }

  /** Waits for its end, past an engine that goes away and comes back; undefined if unknown. */
  async #untilOver(started: Started): Promise<Exit | undefined> {
    const { id, pump, instance } = started;
    const { signal } = this.#closing;
    for (let isBroken = false; !signal.aborted;) {
      try {
        if (isBroken) pump.catchUp(true);
        const code = await Promise.race([this.#engine.wait(id), this.#untilStill(started)]);
        const state = await this.#engine.inspect(id);
        if (state === undefined || !isUp(state)) return exitFor(state?.exitCode ?? code);
        isBroken = true;
      } catch (error) {
        isBroken = true;
        const unheard = { instance, error: String(error) };
        if (!signal.aborted) this.#log.warn("a container cannot be watched", unheard);
      }
      await sleep(againMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  /** The end of its output comes first where an engine looks for ends only now and then. */
  async #untilStill({ id, pump }: Started): Promise<undefined> {
    await pump.untilEnd();
    const deadlineMs = performance.now() + LIMITS.killSweepMs;
    while (performance.now() < deadlineMs && !this.#closing.signal.aborted) {
      const state = await this.#engine.inspect(id);
      if (state === undefined || !isUp(state)) return;
      await sleep(lookEveryMs);
    }
  }

  async #tell(vigil: Vigil, how: Exit | undefined): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { instance, folder, pump } = vigil;
    // Others who end it may remove it next, and with it what the engine has kept.
    await pump.finish(drainMs);
    if (how !== undefined) {
      await noteDocument(folder, OWN_FILES.exit, how).catch((error: unknown) => {
        this.#log.info("an exit could not be written down", { instance, error: String(error) });
      });
    }
    for (const listener of this.#listeners) listener(instance);
  }
}

function exitFor(code: number | undefined): Exit | undefined {
  return code === undefined ? undefined : { code, signal: null };
}
