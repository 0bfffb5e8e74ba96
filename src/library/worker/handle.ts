import type { Actor } from "../../kernel/actor.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { parseCharge } from "../../protocol/budget.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseState } from "../../protocol/worker.ts";
import type { Charge } from "../../kernel/budget/budget.ts";
import { demandOpen } from "../closed.ts";
import { ownLeases } from "../ground/worker-ground.ts";
import type { LeaseHolder } from "../lease/own.ts";
import type { Member } from "../member.ts";
import { toCamel, toEdge, toWire, type Camel } from "../names.ts";
import type { Refusable } from "../refused.ts";
import { demand, workerActor, type Seat } from "../seat.ts";
import { childName } from "../relay/child-name.ts";
import { startAnywhere } from "../relay/starting.ts";
import type { Started } from "./admit.ts";
import { Interrupted } from "./interrupted.ts";
import { findWorker, untilEnded } from "./history.ts";
import { parseRequest, type ReplicateOptions } from "./request.ts";
import { performTask, type Task } from "./task.ts";
import { stopWorker } from "./stopping.ts";
import type { WorkerView } from "./view.ts";

/** A manifest as the library shows it. */
export type ManifestView = Camel<Manifest>;

/** What a worker has used: cpu time and named units. */
export type ChargeOptions = Camel<Charge>;

/** A worker that this process started or is: what may be done as that worker. */
export interface WorkerHandle extends LeaseHolder {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly depth: number;
  /** What it was admitted with; a deep-frozen copy. */
  readonly manifest: ManifestView;
  /** Fires on stop, kill, quarantine and expiry; another one after a quarantine was lifted. */
  readonly signal: AbortSignal;
  /** Runs work for this worker in this process; see {@link performTask}. */
  performTask<T>(task: Task<WorkerHandle, T>): Promise<T>;
  /**
   * Asks for a child. A refusal is an answer and harms nobody. Throws an InputError for a request
   * that cannot be understood, and `Fault` `sandbox_failed` when its process could not be started.
   */
  maybeReplicate(options: ReplicateOptions): Promise<Refusable<{ readonly worker: WorkerHandle }>>;
  /** Replaces the recorded state; it is kept after the worker's end. Throws `Refused`. */
  checkpoint(state: JsonObject): Promise<void>;
  /** Records what was used of the budget, as this worker's own word. Throws `Refused`. */
  charge(amounts: ChargeOptions): Promise<void>;
  /**
   * Ends this worker: `completed`, `failed` and `requested` are recorded as such, any other text
   * as the detail of a request. Resolves when that is durable, and for one without a running task
   * when its end is, too. Repeating it changes nothing.
   */
  shutdown(reason?: string): Promise<void>;
  /** Waits for the end, however it comes, and answers how it was. */
  ended(): Promise<WorkerView>;
  /** The worker as it is now, also after its end. */
  view(): Promise<WorkerView | undefined>;
}

/** Makes the handle of a worker that was started here. */
export function handleOf(member: Member, { manifest, kind }: Started): WorkerHandle {
  const { seat, hosting } = member;
  const { instance: id, name, parent, depth } = manifest;
  // The one that started a process is an operator; only the process itself acts as the worker.
  const by = kind === "apart" ? seat.owner : workerActor(seat, id);
  const handle: WorkerHandle = {
    ...ownLeases(seat, { id, by }),
    id,
    name,
    parent,
    depth,
    manifest: toEdge(manifest),
    get signal() {
      return hosting.get(id)?.signal ?? ENDED;
    },
    performTask: async (task) => {
      if (kind === "apart") throw tasksElsewhere(id);
      return performTask(
        member,
        {
          worker: handle,
          id,
          by,
        },
        task,
      );
    },
    maybeReplicate: (options) =>
      replicate(
        member,
        {
          id,
          name,
          by,
        },
        options,
      ),
    checkpoint: (state) =>
      checkpoint(
        seat,
        {
          id,
          by,
        },
        state,
      ),
    charge: (amounts) =>
      charge(
        seat,
        {
          id,
          by,
        },
        amounts,
      ),
    shutdown: (reason = "completed") =>
      stopWorker(
        member,
        {
          id,
          by,
          kind,
        },
        reason,
      ),
    ended: async () => (await untilEnded(seat, id)) ?? neverSeen(id),
    view: () => view(seat, id),
  };
  return Object.freeze(handle);
}

/** The signal of a worker that is not in hand any more. */
const ENDED = AbortSignal.abort(new Interrupted("stop"));

function tasksElsewhere(id: string): InputError {
  const expected = "a worker whose code runs in this process";
  return new InputError("usage", [
    { path: "worker", expected, got: `${id}, a process of its own` },
  ]);
}

async function view(seat: Seat, id: string): Promise<WorkerView | undefined> {
  demandOpen(seat);
  return findWorker(seat, id);
}

function neverSeen(id: string): never {
  throw new InputError("usage", [
    { path: "worker", expected: "a worker of this fleet", got: describeValue(id) },
  ]);
}

interface Self {
  readonly id: string;
  readonly by: Actor;
}

async function replicate(
  member: Member,
  { id, name, by }: Self & { readonly name: string },
  options: ReplicateOptions,
): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
  const request = parseRequest(options, {
    path: "options",
    name: childName(name),
    parent: id,
    degraded: member.sandboxes?.degraded,
    whyNoSandboxes: member.whyNoSandboxes,
  });
  const started = await startAnywhere(member, request, by);
  return started.ok ? { ok: true, worker: handleOf(member, started) } : started;
}

async function checkpoint(seat: Seat, { id, by }: Self, state: unknown): Promise<void> {
  const data = { worker: id, state: parseState(state) };
  await demand(seat, { kind: "worker.checkpoint", data }, by);
}

async function charge(seat: Seat, { id, by }: Self, given: unknown): Promise<void> {
  const amounts = parseCharge(toWire(given, "amounts"), { path: "amounts", rename: toCamel });
  await demand(seat, { kind: "budget.charge", data: { worker: id, amounts } }, by);
}
