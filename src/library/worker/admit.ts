import type { Actor } from "../../kernel/actor.ts";
import { ok } from "../../kernel/assert.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { Fault } from "../../ports/fault.ts";
import type { Envelope } from "../../ports/signer.ts";
import type { AdmissionRequest } from "../../protocol/admission.ts";
import { freshInstanceId } from "../../runtime/base32.ts";
import { closedFault } from "../closed.ts";
import { refusalOfKill, refusalWithoutPermit } from "../kill/adoption.ts";
import type { Member } from "../member.ts";
import { answerRefused } from "../recorded-refusal.ts";
import type { Refusable } from "../refused.ts";
import { supervisorOf, workerActor, type Seat } from "../seat.ts";
import { manifestIn } from "./history.ts";
import type { HostedKind } from "./hosted.ts";
import { launch } from "../process/launch.ts";
import type { WorkerRequest } from "./request.ts";

/** A permission to exist: durable, and sealed so that it can be handed over. */
export interface Admitted {
  readonly manifest: Manifest;
  readonly envelope: Envelope;
}

/** A worker that exists: what it was admitted as, and where it runs. */
export interface Started {
  readonly manifest: Manifest;
  readonly kind: HostedKind;
}

/** Asks the rules for a worker. What they grant is reserved and durable when this resolves. */
export async function admit(
  seat: Seat,
  request: AdmissionRequest,
  by: Actor,
): Promise<Refusable<Admitted>> {
  const killed = await refusalWithoutPermit(seat);
  if (killed !== null) return killed;
  const data = { instance: freshInstanceId(seat.random), ...request };
  const answer = await seat.loop.submit({ kind: "worker.admit", data }, by);
  if (!answer.ok) return answerRefused(seat, answer);
  const manifest = manifestIn(answer.entries);
  ok(manifest !== undefined, "a granted admission has its entry");
  const { signer } = seat.keys;
  if (manifest.key_id === signer.key.key_id)
    return { ok: true, manifest, envelope: signer.seal(manifest) };
  await giveBack(seat, manifest.instance);
  const message =
    `the key of this handle must be the fleet's, ${manifest.key_id}, it is ${signer.key.key_id}: ` +
    "the key was rotated elsewhere, open the fleet with its new secret";
  throw new Fault("key_mismatch", message);
}

/** How a manifest is presented. */
export interface Presentation {
  /** Where the worker's code runs. */
  readonly kind: "here" | "self";
  /** Whether this process beats for it from now on. */
  readonly beats: boolean;
}

/**
 * Presents a manifest for a worker whose code runs in this process and takes the worker in hand.
 * The lifetime is counted from before the asking, so it ends here no later than in the journal.
 */
export async function register(
  { seat, hosting }: Member,
  envelope: unknown,
  { kind, beats }: Presentation,
): Promise<Refusable<{ readonly manifest: Manifest }>> {
  const killed = await refusalWithoutPermit(seat);
  if (killed !== null) return killed;
  const { verdict, manifest } = seat.keys.signer.check(envelope);
  const askedMs = seat.clock.monotonicMs();
  const data = { manifest, envelope: verdict, process: seat.host.process };
  const by = manifest === null ? seat.owner : workerActor(seat, manifest.instance);
  const answer = await seat.loop.submit({ kind: "worker.register", data }, by);
  if (!answer.ok) return answerRefused(seat, answer);
  const atMs = answer.entries.at(-1)?.at_ms;
  ok(manifest !== null && atMs !== undefined, "a granted registration has a manifest and an entry");
  const deadlineMs = askedMs + (manifest.expires_at_ms - atMs);
  hosting.add({ id: manifest.instance, kind, beats, deadlineMs });
  return { ok: true, manifest };
}

/**
 * Starts a worker, here or as a process: admitted, registered, in hand. A refusal at any step is
 * answered and leaves nothing behind. Throws `Fault` `sandbox_failed` when a process could not be
 * started, and `closed` when the handle is being closed.
 */
export function startWorker(
  member: Member,
  request: WorkerRequest,
  by: Actor,
): Promise<Refusable<Started>> {
  const kind = request.run === undefined ? "here" : "apart";
  return member.hosting.starting(kind, () => startOne(member, request, by));
}

async function startOne(
  member: Member,
  request: WorkerRequest,
  by: Actor,
): Promise<Refusable<Started>> {
  const { seat, hosting } = member;
  const admitted = await admit(seat, request.admission, by);
  if (!admitted.ok) return admitted;
  const { manifest } = admitted;
  if (hosting.isLeaving) {
    await giveBack(seat, manifest.instance);
    throw closedFault();
  }
  if (request.run !== undefined) return launchApart(member, admitted, request);
  const registered = await register(member, admitted.envelope, { kind: "here", beats: true });
  if (registered.ok) return { ok: true, manifest, kind: "here" };
  await giveBack(seat, manifest.instance);
  return registered;
}

async function launchApart(
  member: Member,
  { manifest, envelope }: Admitted,
  request: WorkerRequest,
): Promise<Refusable<Started>> {
  const { seat, hosting, sandboxes } = member;
  const { run, cwd, env } = request;
  ok(run !== undefined && sandboxes !== undefined, "a process is asked for only where it can run");
  const program = {
    run,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  };
  try {
    await launch(seat, sandboxes, { manifest, envelope, ...program });
  } catch (error) {
    // A launcher finds no permit when a kill was quicker.
    const isStart = error instanceof Fault && error.code === "sandbox_failed";
    const refused = isStart ? await refusalOfKill(seat) : null;
    if (refused === null) throw error;
    return refused;
  }
  const killed = await refusalOfKill(seat);
  if (killed !== null) return killed;
  const lifeMs = manifest.expires_at_ms - seat.loop.state().at_ms;
  const deadlineMs = seat.clock.monotonicMs() + lifeMs;
  hosting.add({ id: manifest.instance, kind: "apart", beats: false, deadlineMs });
  return { ok: true, manifest, kind: "apart" };
}

/** Gives a reservation back that will not be taken up: nothing ever ran for it. */
export async function giveBack(seat: Seat, id: string): Promise<void> {
  const by = supervisorOf(seat);
  const evidence = { grade: "settled", facts: { registered: false } } as const;
  const data = { worker: id, evidence, outcome: {} };
  // A refusal says that it has lapsed or was ended already, which is as good.
  await seat.loop.submit({ kind: "worker.exited", data }, by);
}
