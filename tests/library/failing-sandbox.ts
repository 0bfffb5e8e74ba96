// A driver whose sandboxes are rows in memory, for what a real one shows too seldom: sandboxes
// that cannot be ended, or frozen, or that end when a test says so.

import type { Ending, Sandbox, SandboxRecord, SandboxSpec } from "../../src/ports/sandbox.ts";

/** How a sandbox of this driver behaves when it is to be ended. */
export type Stubbornness = "ends" | "throws" | "survives";

/** A driver in memory; what it did is on its `log`. */
export class FailingSandbox implements Sandbox {
  readonly degraded = ["same_user"] as const;
  readonly rung = "rows in memory";
  readonly log: string[] = [];
  readonly specs = new Map<string, SandboxSpec>();
  readonly rows = new Map<string, SandboxRecord["seen"]>();
  /** Called with each spec when it is started, before the start resolves. */
  onStart: (spec: SandboxSpec) => Promise<void> = async () => undefined;
  /** Called when the sandboxes are about to be listed. */
  onList: () => Promise<void> = async () => undefined;
  /** The sandboxes that stand still; a test may let one run, as a signal from outside would. */
  readonly frozen = new Set<string>();
  stubbornnessOf: (instance: string) => Stubbornness = () => "ends";
  readonly #exits = new Set<(instance: string) => void>();

  async start(spec: SandboxSpec): Promise<SandboxRecord> {
    const { instance } = spec;
    this.log.push(`start ${instance}`);
    this.specs.set(instance, spec);
    this.rows.set(instance, "alive");
    await this.onStart(spec);
    return { instance, seen: "alive" };
  }

  folder(instance: string): string {
    return `/nowhere/${instance}`;
  }

  async list(): Promise<readonly SandboxRecord[]> {
    await this.onList();
    return [...this.rows].map(([instance, seen]) => ({ instance, seen }));
  }

  async freeze(instance: string): Promise<void> {
    this.log.push(`freeze ${instance}`);
    this.frozen.add(instance);
  }

  async thaw(instance: string): Promise<void> {
    this.log.push(`thaw ${instance}`);
    this.frozen.delete(instance);
  }

  async strike(): Promise<void> {
    this.log.push("strike");
  }

  async stop(instance: string): Promise<Ending | undefined> {
    this.log.push(`stop ${instance}`);
    const stubbornness = this.stubbornnessOf(instance);
    if (stubbornness === "throws") throw new Error("the driver is broken");
    if (stubbornness === "survives") return undefined;
    this.rows.set(instance, "gone");
    return { instance, evidence: { grade: "swept", facts: {} }, outcome: { exit_code: 0 } };
  }

  async limit(): Promise<undefined> {
    return undefined;
  }

  async use(): Promise<undefined> {
    return undefined;
  }

  async examine(): Promise<undefined> {
    return undefined;
  }

  async hits(): Promise<readonly []> {
    return [];
  }

  async forget(instance: string): Promise<void> {
    this.rows.delete(instance);
  }

  onExit(listener: (instance: string) => void): () => void {
    this.#exits.add(listener);
    return () => void this.#exits.delete(listener);
  }

  /** The first process of a sandbox exits. */
  exit(instance: string): void {
    for (const listener of this.#exits) listener(instance);
  }

  async close(): Promise<void> {
    this.log.push("close");
  }
}
