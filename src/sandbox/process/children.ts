import type { ChildProcess } from "node:child_process";
import type { Log } from "../../ports/log.ts";
import { noteDocument } from "../folder/document.ts";
import { type Exit, OWN_FILES } from "../folder/notes.ts";
import { within } from "../end/within.ts";

/** The sandboxes that this process started: only their parent is told how processes end. */
export class Children {
  readonly #log: Log;
  readonly #exits = new Map<string, Promise<Exit>>();
  readonly #running = new Map<string, ChildProcess>();
  readonly #listeners = new Set<(instance: string) => void>();
  /** Exits that whoever ends the sandbox has yet to write down; null before there is one. */
  readonly #unnoted = new Map<string, { readonly folder: string; readonly how: Exit } | null>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Watches the first process of a sandbox; it does not keep this process alive. */
  watch(instance: string, folder: string, child: ChildProcess): void {
    child.unref();
    this.#running.set(instance, child);
    const exit = new Promise<Exit>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    this.#exits.set(instance, exit);
    void exit.then((how) => this.#exited(instance, folder, how));
  }

  /** How a first process ended, waiting up to `waitMs` for it; undefined when nobody can tell. */
  async exitOf(instance: string, waitMs: number): Promise<Exit | undefined> {
    const exit = this.#exits.get(instance);
    return exit && within(exit, waitMs);
  }

  /** The instances whose first process has not exited. */
  running(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Whether this process has started a sandbox, and not forgotten it. */
  isOwn(instance: string): boolean {
    return this.#exits.has(instance);
  }

  /** The first process of a sandbox; undefined when it is not known to run. */
  pidOf(instance: string): number | undefined {
    return this.#running.get(instance)?.pid;
  }

  /** Whether the first process of a sandbox is known to run. */
  isRunning(instance: string): boolean {
    return this.#running.has(instance);
  }

  /** Kills the first process of a sandbox, and lets go of the line on which it may wait. */
  kill(instance: string): void {
    const child = this.#running.get(instance);
    child?.stdio[3]?.destroy();
    child?.kill("SIGKILL");
  }

  /**
   * Ends a sandbox by `end`, which tells with all else how its first process exited, and then says
   * so: one note is less than two. Where it does not, the exit is written down here, after it.
   */
  async whileEnding<T>(instance: string, end: () => Promise<T>): Promise<T> {
    const isFirst = this.#running.has(instance) && !this.#unnoted.has(instance);
    if (!isFirst) return end();
    this.#unnoted.set(instance, null);
    try {
      return await end();
    } finally {
      const unnoted = this.#unnoted.get(instance);
      this.#unnoted.delete(instance);
      if (unnoted) await this.#note(instance, unnoted.folder, unnoted.how);
    }
  }

  /** Takes note that an exit was written down by whoever ended the sandbox. */
  dropExit(instance: string): void {
    if (this.#unnoted.has(instance)) this.#unnoted.set(instance, null);
  }

  /** Calls `listener` when a first process exits. Returns how to stop it. */
  onExit(listener: (instance: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Drops what is known of a sandbox. */
  forget(instance: string): void {
    this.#exits.delete(instance);
    this.#running.delete(instance);
  }

  /** Calls no listener any more; exits are still written down. */
  silence(): void {
    this.#listeners.clear();
  }

  async #exited(instance: string, folder: string, how: Exit): Promise<void> {
    this.#running.delete(instance);
    for (const listener of this.#listeners) listener(instance);
    if (this.#unnoted.has(instance)) this.#unnoted.set(instance, { folder, how });
    else await this.#note(instance, folder, how);
  }

  async #note(instance: string, folder: string, how: Exit): Promise<void> {
    try {
      await noteDocument(folder, OWN_FILES.exit, how);
    } catch (error) {
      // A full disk, or the sandbox was forgotten meanwhile: others will not know how it ended.
      this.#log.info("an exit could not be written down", { instance, error: String(error) });
    }
  }
}
