import type { CommandMap } from "../kernel/command.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import type { CommandAnswer, CommandOrder, StartAnswer } from "./supervision.ts";

/** What a worker hears about itself; `gone`: its supervisor, and with it whoever could tell it. */
export type WorkerSignal =
  | {
      readonly kind: "interrupted";
      readonly by: "stop" | "kill" | "quarantine" | "expiry" | "close";
    }
  | { readonly kind: "released" }
  /** The leases that it holds by an entry: of what was granted by then it has lost the others. */
  | {
      readonly kind: "leases";
      readonly at_seq: number;
      readonly held: readonly { readonly lease: string; readonly fence: number }[];
    }
  | { readonly kind: "gone" };

/** Who a worker is, as its supervisor knows it. */
export interface WorkerSelf {
  readonly manifest: Manifest;
  /** Its recorded state: what it was admitted with, or has last checkpointed. */
  readonly state: JsonObject;
  /** How it is now, as a document. */
  readonly view: JsonObject;
  /** How often it is to beat, ms. */
  readonly beat_every_ms: number;
}

/** A worker as another sees it, or that it may not. */
export type WorkerSighting =
  | {
      readonly ok: true;
      /** What it was admitted with. */
      readonly manifest: Manifest;
      /** How it is now, as a document. */
      readonly view: JsonObject;
    }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** The leases of a worker as another sees them, or that it may not. */
export type LeaseList =
  | { readonly ok: true; readonly leases: readonly JsonObject[] }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** A lease as a worker sees it, or that it may not. */
export type LeaseLook =
  | { readonly ok: true; readonly lease: JsonObject }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** What a worker asks about paths. */
export interface PathsAsked {
  readonly paths: readonly string[];
  /** Where those begin that are not absolute; an absolute path. */
  readonly cwd: string;
  readonly fence?: number;
  readonly strict?: boolean;
}

/** Whether paths may be written, one document for each, or that it may not be asked. */
export type PathsJudged =
  | { readonly ok: true; readonly paths: readonly JsonObject[] }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** A child that is to be a process of the supervisor's; safe to repeat under the same id. */
export interface ChildOrder {
  readonly id: string;
  /** The admission; the supervisor adds who the parent is, and an instance where there is none. */
  readonly admission: Omit<CommandMap["worker.admit"], "degraded" | "verdicts" | "parent">;
  readonly run: readonly [string, ...string[]];
  /** Where it starts; an absolute path. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The supervisor as one of its workers reaches it: whoever holds the worker's token is that worker,
 * and can do what the rules let that worker do.
 *
 * Every call has a deadline. What is not answered throws `Fault` `supervisor_unreachable`
 * (retryable); the same order may then be given again. What the supervisor does not understand
 * throws an InputError.
 */
export interface WorkerDoor {
  /** Who this worker is. */
  self(): Promise<WorkerSelf>;
  /**
   * Counts a beat. From the first one on its silence is noticed. Resolves also when the worker has
   * ended, and then it counts for nothing.
   */
  beat(progress?: number): Promise<void>;
  /**
   * Gives a command as this worker, under an id that makes it safe to repeat. A renewal of a lease
   * counts as a beat. `turn_ms` is as for `Supervision.submit`.
   */
  submit(order: Pick<CommandOrder, "id" | "command" | "turn_ms">): Promise<CommandAnswer>;
  /**
   * The live leases that a worker holds, this one or one below it, as documents. Of any other it
   * is refused as `not_authorised`, whether there is one or not.
   */
  leases(worker: string): Promise<LeaseList>;
  /**
   * A lease of this worker's or of one below it, the ended ones included. Any other is refused as
   * `not_authorised`, whether there is one or not.
   */
  lease(id: string): Promise<LeaseLook>;
  /**
   * Whether a worker may write paths, this one or one below it, as the supervisor finds them. Of
   * any other it is refused as `not_authorised`, whether there is one or not.
   */
  check(worker: string, asked: PathsAsked): Promise<PathsJudged>;
  /** Has a child started; resolves when its process runs. */
  start(order: ChildOrder): Promise<StartAnswer>;
  /**
   * A worker: this one, or one of its descendants, the ended ones included. Any other is refused
   * as `not_authorised`, whether there is one or not.
   */
  worker(id: string): Promise<WorkerSighting>;
  /** Waits for the end of this worker or of a descendant; answers the view it has from then on. */
  untilEnded(id: string, signal: AbortSignal): Promise<JsonObject>;
  /**
   * Tells a listener what this worker is to hear, the present first, until the answered function
   * is called. Connects anew when the connection breaks; `gone` is told when that fails for long.
   */
  listen(listener: (signal: WorkerSignal) => void): () => void;
  /** Releases the connections; safe to call twice. */
  close(): Promise<void>;
}
