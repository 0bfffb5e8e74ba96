// Stores that are put together for a test: a journal in memory that can fail, and a driver.

import { memory, type Store } from "stint";
import type { OpenStore } from "../../src/library/fleet/store.ts";
import type { Envelope } from "../../src/ports/signer.ts";
import { Fault } from "../../src/ports/fault.ts";
import type { Draft, Head, Journal } from "../../src/ports/journal.ts";
import type { Sandbox, SandboxSpec } from "../../src/ports/sandbox.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { systemRandom } from "../../src/system/random.ts";
import { SECRET } from "./rig.ts";

/** What appending does: works, fails with a full disk, or waits until it is fair again. */
export type Weather = "fair" | "full" | "stuck";

/** A store in memory that runs processes by a given driver and fails when it is told to. */
export class MadeStore implements Store {
  readonly kind = "memory";
  readonly #inner = memory();
  /** The driver of those that open the store from now on. */
  sandbox: Sandbox | undefined;
  #weather: Weather = "fair";
  readonly #stuck: (() => void)[] = [];
  /** The permits that were taken away. */
  readonly revoked: string[] = [];

  /** Whether those that open the store from now on are not told of what others append. */
  isDeaf = false;
  /** Called when a permit is about to be taken away. */
  onRevoke: () => Promise<void> = async () => undefined;
  /** Called when entries are about to be appended. */
  onAppend: () => Promise<void> = async () => undefined;
  /** Called when entries were appended, before their caller is told. */
  onAppended: () => Promise<void> = async () => undefined;

  constructor(sandbox?: Sandbox) {
    this.sandbox = sandbox;
  }

  get weather(): Weather {
    return this.#weather;
  }

  /** Changes the weather; what was stuck goes on when it is fair. */
  set weather(weather: Weather) {
    this.#weather = weather;
    if (weather === "fair") for (const goOn of this.#stuck.splice(0)) goOn();
  }

  #untilFair(): Promise<void> {
    if (this.#weather === "fair") return Promise.resolve();
    return new Promise((resolve) => this.#stuck.push(resolve));
  }

  /**
   * Presents the manifest that a sandbox was given, as the process in it would: by a loop of its
   * own, so that nobody here takes its worker in hand.
   */
  async registerAsProcess(spec: SandboxSpec): Promise<void> {
    const { journal } = await this.#inner.open();
    const signer = openSigner(SECRET);
    const loop = await openLoop({ journal, signer, random: systemRandom() });
    const { manifest, verdict: envelope } = signer.check(envelopeIn(spec));
    const by = { kind: "supervisor", via: "runtime" } as const;
    const data = { manifest, envelope };
    const answer = await loop.submit({ kind: "worker.register", data }, by);
    await loop.close();
    if (!answer.ok) throw new Error(`must be registered: ${answer.refusal.message}`);
  }

  async open(): Promise<OpenStore> {
    const store = await this.#inner.open();
    const { sandbox } = this;
    return {
      ...store,
      journal: this.#weathered(store.journal),
      permit: {
        ...store.permit,
        revoke: async (fleet) => {
          await this.onRevoke();
          this.revoked.push(fleet);
          await store.permit.revoke(fleet);
        },
      },
      address: { kind: "sqlite", dir: "/nowhere" },
      ...(sandbox === undefined ? {} : { openSandbox: async () => sandbox }),
    };
  }

  #weathered(journal: Journal): Journal {
    const append = async (
      expected: Head,
      make: (atMs: number) => readonly Draft[],
    ): ReturnType<Journal["append"]> => {
      if (this.weather === "full") throw new Fault("storage_full", "the disk must have space");
      await this.#untilFair();
      await this.onAppend();
      const outcome = await journal.append(expected, make);
      await this.onAppended();
      return outcome;
    };
    const { isDeaf } = this;
    return new Proxy(journal, {
      get(target, name) {
        if (name === "append") return append;
        if (name === "watch" && isDeaf) return () => () => undefined;
        const field: unknown = Reflect.get(target, name, target);
        // The journal's methods reach for private fields of the journal itself.
        return typeof field === "function" ? (field as () => unknown).bind(target) : field;
      },
    });
  }
}

/** The manifest's envelope that a sandbox was given. */
export function envelopeIn(spec: SandboxSpec): Envelope {
  return JSON.parse(spec.files["manifest.json"] ?? "null") as Envelope;
}
