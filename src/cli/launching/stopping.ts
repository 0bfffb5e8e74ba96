import type { CommandGroup } from "./command-group.ts";

/** Ends a group: once asked, and killed when the grace is over. */
export class Stopping {
  hasBegun = false;
  readonly #group: CommandGroup;
  readonly graceMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(group: CommandGroup, graceMs: number) {
    this.#group = group;
    this.graceMs = graceMs;
  }

  begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#group.kill("SIGTERM");
    // What is stopped, as by Ctrl-Z, hears nothing else.
    this.#group.kill("SIGCONT");
    this.#timer = setTimeout(() => this.#group.kill("SIGKILL"), this.graceMs);
  }

  /** Kills it at once. */
  finish(): void {
    this.hasBegun = true;
    this.#group.kill("SIGKILL");
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
