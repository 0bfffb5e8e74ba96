import type { Command } from "../../kernel/command.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { StopReason } from "../../kernel/worker/evidence.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import type { WorkerSighting } from "../../ports/worker-door.ts";
import { InputError } from "../../protocol/input.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { toEdge } from "../names.ts";
import { Refused, refusedAnswer, type Refusable } from "../refused.ts";
import type { WorkerHandle } from "../worker/handle.ts";
import { Interrupted, interruptionOf } from "../worker/interrupted.ts";
import { parseEndReason } from "../worker/stop-order.ts";
import type { WorkerView } from "../worker/view.ts";
import { childOrder, demandJson, inOurWords, toRequest } from "./child-request.ts";
import { socketLeases } from "./socket-leases.ts";
import { mustBeOpen, type SocketSeat } from "./socket-seat.ts";

/** The verbs of a handle that are the same for this worker and for a child of it. */
export type SocketVerbs = Omit<WorkerHandle, "signal" | "performTask">;

/**
 * What may be done with a worker through the socket of this process's own. Whether it may is for
 * the rules to say, which know this process as the worker that its token shows it to be.
 */
export function verbsOf(seat: SocketSeat, manifest: Manifest): SocketVerbs {
  const { instance: id, name, parent, depth } = manifest;
  return {
    ...socketLeases(seat, id),
    id,
    name,
    parent,
    depth,
    manifest: toEdge(manifest),
    maybeReplicate: (options) => replicate(seat, name, options),
    checkpoint: async (state) => {
      const data = { worker: id, state: demandJson(state, "state") };
      await demandBy(seat, { kind: "worker.checkpoint", data }, "state");
    },
    charge: async (amounts) => {
      const data = { worker: id, amounts: toRequest(amounts, "amounts") };
      await demandBy(seat, { kind: "budget.charge", data }, "amounts");
    },
    shutdown: (reason = "completed") => shutdown(seat, id, reason),
    ended: async () => {
      mustBeOpen(seat);
      return viewIn(await seat.door.untilEnded(id, seat.closing));
    },
    view: async () => {
      mustBeOpen(seat);
      return viewIn((await see(seat, id)).view);
    },
  };
}

/** Gives a command as this worker, and throws {@link Refused} when the rules say no. */
export async function demandBy(seat: SocketSeat, command: Command, path: string): Promise<void> {
  mustBeOpen(seat);
  const order = { id: freshCommandId(seat.random), command };
  const answer = await inOurWords(path, () => seat.door.submit(order));
  if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
}

/** A worker's view as the library shows it. */
export function viewIn(document: JsonObject): WorkerView {
  // The supervisor is this very program: its view of a worker has the fields of one.
  return toEdge(document) as unknown as WorkerView;
}

async function shutdown(seat: SocketSeat, id: string, why: unknown): Promise<void> {
  mustBeOpen(seat);
  const said = parseEndReason(why);
  const { view } = await see(seat, id);
  if (viewIn(view).status === "stopped") return;
  const data = { worker: id, tree: false, ...said };
  await demandBy(seat, { kind: "worker.stop", data }, "reason");
}

async function replicate(
  seat: SocketSeat,
  parentName: string,
  options: unknown,
): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
  mustBeOpen(seat);
  const { door, random } = seat;
  const order = childOrder(options, { random, parentName });
  const answer = await inOurWords("options", () => door.start(order));
  if (!answer.ok) return refusedAnswer(answer.refusal, answer.seq);
  const { manifest } = await see(seat, answer.worker);
  return { ok: true, worker: childHandle(seat, manifest) };
}

/** Looks at a worker. Throws {@link Refused} for one that this worker may not see. */
async function see({ door }: SocketSeat, id: string): Promise<WorkerSighting & { ok: true }> {
  const seen = await door.worker(id);
  if (seen.ok) return seen;
  throw new Refused(refusedAnswer(seen.refusal).refusal, seen.seq);
}

/** The handle of a child, which runs in a process of its own. */
function childHandle(seat: SocketSeat, manifest: Manifest): WorkerHandle {
  const { instance: id } = manifest;
  let controller: AbortController | undefined;
  return Object.freeze({
    ...verbsOf(seat, manifest),
    get signal() {
      controller ??= abortAtEnd(seat, id);
      return controller.signal;
    },
    performTask: async () => {
      const expected = "a worker whose code runs in this process";
      const got = `${id}, a process of its own`;
      throw new InputError("usage", [{ path: "worker", expected, got }]);
    },
  });
}

/** A signal that fires when a worker ends, or this process leaves. */
function abortAtEnd(seat: SocketSeat, id: string): AbortController {
  const controller = new AbortController();
  seat.door.untilEnded(id, seat.closing).then(
    (view) => {
      const reason: StopReason | "lapsed" = viewIn(view).end?.reason ?? "requested";
      const by = reason === "lapsed" ? "stop" : interruptionOf(reason);
      controller.abort(new Interrupted(by));
    },
    // Nobody is there any more who would tell of its end.
    () => controller.abort(new Interrupted("close")),
  );
  return controller;
}
