import { resolve } from "node:path";
import type { Actor } from "../../kernel/actor.ts";
import { ok } from "../../kernel/assert.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { freshCommandId, freshInstanceId } from "../../runtime/base32.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import type { StartAnswer, StartOrder } from "../../ports/supervision.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { refusalOfKill } from "../kill/adoption.ts";
import type { Member } from "../member.ts";
import { answerRefused } from "../recorded-refusal.ts";
import type { Refusable, RefusedAnswer } from "../refused.ts";
import type { Seat } from "../seat.ts";
import { startWorker, type Started } from "../worker/admit.ts";
import { manifestIn } from "../worker/history.ts";
import type { WorkerRequest } from "../worker/request.ts";
import type { Relay } from "./relay-loop.ts";
import { findNamedStart, type StartIds } from "./run-id.ts";
import { withdraw } from "./withdrawal.ts";

/**
 * Starts a worker wherever it belongs: tasks run in this process; a program is a process of the
 * supervisor's where one runs or is to be started, of this process's otherwise.
 *
 * Refusals and faults are those of `startWorker`, and `supervisor_unreachable` when the supervisor
 * broke off so that it is not known what became of the start.
 */
export async function startAnywhere(
  member: Member,
  request: WorkerRequest,
  by: Actor,
): Promise<Refusable<Started>> {
  const { run, runId } = request;
  const { hosting, relay } = member;
  const isRelayed = run !== undefined && relay !== undefined && !relay.hasFunctions();
  if (runId !== undefined) {
    if (!isRelayed) throw notOnce(runId);
    return startOnce(member, { ...request, run, runId }, by);
  }
  if (!isRelayed) return startWorker(member, request, by);
  const { seat } = member;
  const ids = { order: freshCommandId(seat.random), instance: freshInstanceId(seat.random) };
  const order = orderOf({ ...request, run }, ids, by);
  const { signal } = request;
  const started = await hosting.starting("apart", () => startApart(member, order, signal));
  return started ?? startWorker(member, request, by);
}

/** Starts a worker that is known by the name of its start, or answers the one that is. */
async function startOnce(
  member: Member,
  request: WorkerRequest & Pick<StartOrder, "run"> & { readonly runId: string },
  by: Actor,
): Promise<Refusable<Started>> {
  const { seat, hosting } = member;
  const { runId } = request;
  const found = await findNamedStart(seat, request, runId);
  if (found.kind === "refused") return found.answer;
  if (found.kind === "known") return { ok: true, manifest: found.manifest, kind: "apart" };
  const order = orderOf(request, found.ids, by);
  const { signal } = request;
  const started = await hosting.starting("apart", () => startApart(member, order, signal));
  if (started === undefined) throw notOnce(runId);
  if (started.ok || started.refusal.code !== "instance_taken") return started;
  // Somebody else has started it meanwhile: as this one, or as another.
  const now = await findNamedStart(seat, request, runId);
  if (now.kind === "known") return { ok: true, manifest: now.manifest, kind: "apart" };
  return now.kind === "refused" ? now.answer : started;
}

function notOnce(runId: string): InputError {
  const expected = "absent (only a supervisor starts a process under the name of its start)";
  return new InputError("usage", [{ path: "options.runId", expected, got: describeValue(runId) }]);
}

/** Answers undefined when there is no supervisor, and so nothing was asked of any. */
async function startApart(
  member: Member,
  order: StartOrder,
  signal: AbortSignal | undefined,
): Promise<Refusable<Started> | undefined> {
  const { seat, hosting, relay } = member;
  if (relay === undefined) return undefined;
  // Nobody is to be waited for by whom the rules refuse anyway, and who may not answer.
  const killed = await refusalOfKill(seat);
  if (killed !== null) return refusedOnRecord(seat, order, killed);
  const answer = await askToStart(member, relay, { order, signal });
  if (answer === undefined) return undefined;
  if (!answer.ok) {
    await seat.loop.look();
    return answerRefused(seat, answer);
  }
  const manifest = await manifestOf(seat, answer.worker);
  const lifeMs = manifest.expires_at_ms - seat.loop.state().at_ms;
  const deadlineMs = seat.clock.monotonicMs() + lifeMs;
  hosting.add({ id: manifest.instance, kind: "apart", beats: false, deadlineMs });
  return { ok: true, manifest, kind: "apart" };
}

/** What a kill blocks is on record, where the journal knows of the kill. */
async function refusedOnRecord(
  seat: Seat,
  { id, by, admission }: StartOrder,
  killed: RefusedAnswer,
): Promise<RefusedAnswer> {
  if (seat.loop.state().status !== "killed") return killed;
  const answer = await seat.loop.submit({ kind: "worker.admit", data: admission }, by, { id });
  return answer.ok ? killed : answerRefused(seat, answer);
}

/** Asks the supervisor. Throws the signal's reason when it fires, once the start is withdrawn. */
async function askToStart(
  member: Member,
  { link }: Relay,
  so: { readonly order: StartOrder; readonly signal: AbortSignal | undefined },
): Promise<StartAnswer | undefined> {
  const { order, signal } = so;
  signal?.throwIfAborted();
  try {
    return await link.start(order, signal);
  } catch (error) {
    if (signal?.aborted === true) await withdraw(member, order);
    throw error;
  }
}

function orderOf(
  request: WorkerRequest & Pick<StartOrder, "run">,
  { order, instance }: StartIds,
  by: Actor,
): StartOrder {
  const { degraded: _, ...admission } = request.admission;
  return {
    id: order,
    by,
    admission: { instance, ...admission },
    run: request.run,
    // The supervisor has a folder of its own, and the caller's is meant.
    cwd: resolve(request.cwd ?? "."),
    env: request.env ?? {},
  };
}

/** The manifest that a worker was admitted with, by the journal. */
async function manifestOf(seat: Seat, id: string): Promise<Manifest> {
  await seat.loop.look();
  const entries = await seat.store.journal.about(id, LIMITS.readEntriesMax);
  const manifest = manifestIn(entries);
  ok(manifest !== undefined, "a worker that was started was admitted");
  return manifest;
}
