import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { FROM_SOURCE } from "../support/from-source.ts";
import type { Asked, Order, Said } from "./party.case.ts";

const PROGRAM = join(import.meta.dirname, "party.case.ts");

/** What was granted. */
type Granted = Extract<Said, { readonly ok: true }>;
/** What was refused, or failed. */
type Denied = Extract<Said, { readonly ok: false }>;

/** A process of its own that wants leases under a name, and is ended when the test is over. */
export class Party {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    onTestFinished(() => this.kill());
  }

  /** Starts one, and waits until it has opened the fleet of a state folder. */
  static async enter(
    stateDir: string,
    holder: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Party> {
    const child = spawn(process.execPath, [FROM_SOURCE, PROGRAM, stateDir, holder], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env },
    });
    const party = new Party(child);
    await party.#hear();
    return party;
  }

  /** Tells it what to do; answers what came of it. */
  async tell(order: Order): Promise<Said> {
    const heard = this.#hear();
    this.#child.send(order);
    return heard;
  }

  /** Has it acquire something, which must be granted. */
  async acquire(options: Asked): Promise<{
    readonly id: string;
    readonly fence: number;
  }> {
    const { id = "", fence = 0 } = granted(await this.tell({ do: "acquire", options }));
    return { id, fence };
  }

  /** Has it acquire something, which must be refused. */
  async denied(options: Asked): Promise<Denied> {
    return denied(await this.tell({ do: "acquire", options }));
  }

  /** Ends it on the spot. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  async #hear(): Promise<Said> {
    const { promise, resolve, reject } = Promise.withResolvers<Said>();
    const fail = (): void => reject(new Error("a party must live until it is let go"));
    this.#child.once("message", resolve);
    this.#child.once("exit", fail);
    return promise.finally(() => {
      this.#child.off("message", resolve);
      this.#child.off("exit", fail);
    });
  }
}

/** What was said, which must be no refusal. */
export function granted(said: Said): Granted {
  if (said.ok) return said;
  throw new Error(`must be granted, got ${said.code}: ${JSON.stringify(said.facts)}`);
}

/** What was said, which must be a refusal or a fault. */
export function denied(said: Said): Denied {
  if (!said.ok) return said;
  throw new Error(`must be refused, got ${JSON.stringify(said)}`);
}
