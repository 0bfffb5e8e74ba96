// The single steps that `start` and `maybeReplicate` are made of, for those who drive them
// themselves.

import type { Command } from "../../kernel/command.ts";
import { decide } from "../../kernel/decide.ts";
import type { State } from "../../kernel/state.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import { askingContext } from "../../kernel/worker/asking.ts";
import type { EnvelopeVerdict } from "../../kernel/worker/manifest.ts";
import { Fault } from "../../ports/fault.ts";
import type { Envelope } from "../../ports/signer.ts";
import type { AdmissionRequest } from "../../protocol/admission.ts";
import { freshCommandId, freshInstanceId } from "../../runtime/base32.ts";
import { takeVerdicts, type FunctionConditions } from "../../runtime/function-condition.ts";
import type { Member } from "../member.ts";
import { snapshotOf, toEdge } from "../names.ts";
import { answerRefused } from "../recorded-refusal.ts";
import { refusedAnswer, type Refusable } from "../refused.ts";
import { supervisorOf, type Seat } from "../seat.ts";
import { admit, register } from "../worker/admit.ts";
import { handleOf, type ManifestView, type WorkerHandle } from "../worker/handle.ts";
import { hasEnded } from "../worker/until.ts";

/** How often a look that somebody overtook is repeated. */
const looksMax = 100;

/**
 * Asks the rules whether a worker would be admitted now: all checks, at journal time, and nothing
 * is reserved or written.
 */
export async function canSpawn(
  seat: Seat,
  conditions: FunctionConditions,
  request: AdmissionRequest,
): Promise<Refusable<object>> {
  for (let look = 0; look < looksMax; look += 1) {
    const state = await seat.loop.look();
    const refusal = await weigh(seat, conditions, { request, state });
    if (refusal === "moved") continue;
    return refusal === null ? Object.freeze({ ok: true }) : refusedAnswer(refusal);
  }
  const message = `a look must not be overtaken ${looksMax} times in a row, it was`;
  throw new Fault("storage_busy", message, { retryable: true });
}

/** Decides an admission inside the journal's critical section, for its time, and writes nothing. */
async function weigh(
  seat: Seat,
  conditions: FunctionConditions,
  so: { readonly request: AdmissionRequest; readonly state: State },
): Promise<Refusal | null | "moved"> {
  const { request, state } = so;
  const data = { instance: freshInstanceId(seat.random), ...request };
  const asked: Command<"worker.admit"> = { kind: "worker.admit", data };
  const context = askingContext(state, asked);
  const verdicts = context === null ? {} : { verdicts: takeVerdicts(conditions, context) };
  const command: Command = { kind: "worker.admit", data: { ...data, ...verdicts } };
  const { parent } = request;
  const isDead = parent !== null && !state.workers.has(parent) && (await isKnown(seat, parent));
  const ended = isDead ? { ended: parent } : {};
  const submission = { id: freshCommandId(seat.random), actor: seat.owner, command, ...ended };
  let refusal: Refusal | null = null;
  const outcome = await seat.store.journal.append(seat.loop.head(), (atMs) => {
    ({ refusal } = decide(state, submission, atMs));
    return [];
  });
  return outcome.kind === "moved" || seat.loop.state() !== state ? "moved" : refusal;
}

async function isKnown(seat: Seat, id: string): Promise<boolean> {
  const entries = await seat.store.journal.about(id, 1);
  return entries.length > 0;
}

/** A manifest that was issued: the permission, and its sealed form to be presented. */
export interface IssuedManifest {
  readonly manifest: ManifestView;
  readonly envelope: Envelope;
}

/** Admits a worker and hands out its manifest: place, total and budget are reserved until then. */
export async function issueManifest(
  seat: Seat,
  request: AdmissionRequest,
): Promise<Refusable<IssuedManifest>> {
  const admitted = await admit(seat, request, seat.owner);
  if (!admitted.ok) return admitted;
  const { manifest, envelope } = admitted;
  return Object.freeze({ ok: true, manifest: toEdge(manifest), envelope: snapshotOf(envelope) });
}

/** What checking an envelope found; the manifest only where it is valid. */
export interface VerifiedManifest {
  readonly verdict: EnvelopeVerdict | "foreign";
  readonly manifest: ManifestView | null;
}

/** Checks form, version, key and signature of an envelope, and that it is of this fleet. */
export function verifyManifest(seat: Seat, envelope: unknown): VerifiedManifest {
  const { verdict, manifest } = seat.keys.signer.check(envelope);
  if (manifest === null) return Object.freeze({ verdict, manifest });
  if (manifest.fleet !== seat.fleet) return Object.freeze({ verdict: "foreign", manifest: null });
  return Object.freeze({ verdict, manifest: toEdge(manifest) });
}

/** Presents a manifest, once. Its worker's code runs here; its beats are the caller's to give. */
export async function registerHere(
  member: Member,
  envelope: unknown,
): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
  const registered = await member.hosting.starting("here", () =>
    register(member, envelope, { kind: "here", beats: false }),
  );
  if (!registered.ok) return registered;
  return { ok: true, worker: handleOf(member, { manifest: registered.manifest, kind: "here" }) };
}

/**
 * Counts a beat of a worker. One in quarantine may beat: nothing is concluded from it or from its
 * absence. One that is unknown or has ended is refused, and that is on record.
 */
export async function heartbeat(
  seat: Seat,
  id: string,
  progress?: number,
): Promise<Refusable<object>> {
  const known = seat.loop.state().workers.get(id) ?? (await seat.loop.look()).workers.get(id);
  if (!hasEnded(known)) {
    await seat.store.pulse.beat(id, progress);
    return Object.freeze({ ok: true });
  }
  const data = { worker: id, silent_ms: 0, watched_ms: 0, seen: "unknown" } as const;
  const answer = await seat.loop.submit({ kind: "worker.observe", data }, supervisorOf(seat));
  return answer.ok ? Object.freeze({ ok: true }) : answerRefused(seat, answer);
}
