import type { Actor } from "../kernel/actor.ts";
import type { Command, CommandMap } from "../kernel/command.ts";
import type { Entry } from "../kernel/entry.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { BusLine } from "./bus.ts";

/** A command to be carried by the supervisor, under an id that makes it safe to repeat. */
export interface CommandOrder {
  readonly id: string;
  readonly command: Command;
  /** Who asks, as this process says; the supervisor marks what nothing has authenticated. */
  readonly by: Actor;
  /**
   * The token whose hash the command's claim has. It crosses the wire in the hash's place: a
   * supervisor takes no hash from anybody.
   */
  readonly token?: string;
  /** Whether the answer is to say which lease it has left. */
  readonly sights?: true;
  /**
   * How long `place.keep` is held back until it may be its turn, ms; of an acquisition that waits,
   * for how long its answer is held back for the lease.
   */
  readonly turn_ms?: number;
}

/** A lease as a command has left it. */
export interface LeaseSighting {
  /** The lease, as a document. */
  readonly lease: JsonObject;
  /** How long it still gave its right at an instant after the command was sent, ms. */
  readonly remaining_ms: number;
}

/** What became of a command: as the loop answers it, and of one about a lease what it has left. */
export type CommandAnswer =
  | {
      readonly ok: true;
      readonly seq: number;
      readonly entries: readonly Entry[];
      readonly sighting?: LeaseSighting;
    }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/**
 * A worker that is to be a process of the supervisor's. Safe to repeat under the same id: its
 * instance is admitted once and its sandbox started once.
 */
export interface StartOrder {
  readonly id: string;
  readonly by: Actor;
  /** The admission, with the fresh id of the instance; `degraded` is the supervisor's to say. */
  readonly admission: Omit<CommandMap["worker.admit"], "degraded" | "verdicts">;
  /** The program and its arguments. */
  readonly run: readonly [string, ...string[]];
  /** Where it starts; an absolute path. */
  readonly cwd: string;
  /** Its environment, besides what names the fleet to it; never secrets. */
  readonly env: Readonly<Record<string, string>>;
}

/** What became of a start: running, or refused with nothing left behind. */
export type StartAnswer =
  | { readonly ok: true; readonly seq: number; readonly worker: string }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** The supervisor of a fleet, as it describes itself. */
export interface SupervisorStatus {
  readonly fleet: string;
  readonly pid: number;
  /** The version of Stint that it runs. */
  readonly version: string;
  readonly started_at_ms: number;
  /** Workers that it has in hand. */
  readonly worker_count: number;
  /** The rung of containment, in words. */
  readonly rung: string;
  /** What its sandboxes never hold here. */
  readonly degraded: readonly string[];
  /** Whether it takes no more starts because it is about to leave. */
  readonly is_draining: boolean;
}

/**
 * The supervisor of a fleet on this host, as others of its processes reach it.
 *
 * Every call has a deadline. What cannot be delivered, or is not answered, throws `Fault`
 * `supervisor_unreachable` (retryable): the same order may then be given again, to the same
 * supervisor, to its successor, or, a command only, straight to the journal.
 */
export interface Supervision extends BusLine {
  /**
   * Has a command carried. Throws the supervisor's own faults as `Fault`s. With the signal the
   * asking is given up; a place whose turn was waited for by it is left.
   */
  submit(order: CommandOrder, signal?: AbortSignal): Promise<CommandAnswer>;
  /**
   * Has a worker's process started; resolves when it runs. Throws `Fault` `sandbox_failed`, …
   * With the signal the asking is given up; the order may be carried out all the same.
   */
  start(order: StartOrder, signal?: AbortSignal): Promise<StartAnswer>;
  /** How it is. */
  status(): Promise<SupervisorStatus>;
  /**
   * Asks it to leave. With live workers it answers their ids and stays, unless `stopGraceMs` is
   * given: then it stops them with that grace. Resolves, with none, when it has begun to leave.
   */
  leave(options: { readonly stopGraceMs?: number }): Promise<readonly string[]>;
  /** Releases the connection; safe to call twice. */
  close(): Promise<void>;
}
