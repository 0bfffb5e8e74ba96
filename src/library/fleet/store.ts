import type { Journal } from "../../ports/journal.ts";
import type { Permit } from "../../ports/permit.ts";
import type { ServicePulse } from "../../ports/pulse.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import type { SupervisorDoor } from "../relay/supervisor-door.ts";

/** How another process of this host finds the same store; plain JSON, no secret. */
export interface StoreAddress {
  readonly kind: "sqlite";
  /** The absolute path of the state folder. */
  readonly dir: string;
}

/** A store that is open: everything of a fleet that outlives a call. */
export interface OpenStore {
  readonly journal: Journal;
  readonly pulse: ServicePulse;
  readonly permit: Permit;
  /** Absent when no other process can open this store. */
  readonly address?: StoreAddress;
  /**
   * Reads the secret that is kept beside the journal, or creates it; absent when the store keeps
   * none. Throws `Fault` `secret_missing`.
   */
  readSecret?(options: { readonly create: boolean }): string;
  /** Opens the driver that runs this fleet's processes; absent when none can be run on it. */
  openSandbox?(fleet: string): Promise<Sandbox>;
  /** The ways to this store's supervisor; absent where it can have none. */
  readonly supervisor?: SupervisorDoor;
  /** Releases journal and pulse store; safe to call twice. */
  close(): Promise<void>;
}

/** Where a fleet is kept: what `memory()` and `sqlite()` give, to be handed to `openFleet`. */
export interface Store {
  /** What it is, for messages. */
  readonly kind: "memory" | "sqlite";
  /**
   * Opens it, beginning an empty one where there is none unless `create` is false; each call owns
   * what it gets. Throws `Fault`s of the store.
   */
  open(options?: { readonly create?: boolean }): Promise<OpenStore>;
}
