// A start that has a name happens once. The name gives the id of its worker, and with what was
// asked the id of its command, so that two who start it at once, or one who starts it again after
// a crash, mean the same worker, and whoever means another under that name is told so.

import { LIMITS } from "../../kernel/limits.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { refuse } from "../../kernel/refusal.ts";
import { isLive, type State } from "../../kernel/state.ts";
import { base32 } from "../../runtime/base32.ts";
import { canonicalText, sha256Of } from "../../runtime/canonical.ts";
import { refusedAnswer, type RefusedAnswer } from "../refused.ts";
import type { Seat } from "../seat.ts";
import type { WorkerRequest } from "../worker/request.ts";

/** The ids under which a start is asked for. */
export interface StartIds {
  readonly order: string;
  readonly instance: string;
}

/** What became of a named start before: its worker, or that it was another one; else its ids. */
export type NamedStart =
  | { readonly kind: "fresh"; readonly ids: StartIds }
  | { readonly kind: "known"; readonly manifest: Manifest }
  | { readonly kind: "refused"; readonly answer: RefusedAnswer };

/** As many bits as an instance id has. */
const instanceBytes = 10;

const digestChars = 16;

/** How often a start is tried anew whose worker never came: each try has an id of its own. */
const attemptsMax = 16;

/** Looks up what became of a named start, by the journal as it is now. */
export async function findNamedStart(
  seat: Seat,
  request: WorkerRequest,
  runId: string,
): Promise<NamedStart> {
  const { admission, run, cwd } = request;
  const asked = sha256Of(canonicalText({ admission, run, cwd: cwd ?? null }));
  await seat.loop.look();
  for (let attempt = 0; ; attempt += 1) {
    const instance = instanceOf(seat.fleet, runId, attempt);
    const ids = { instance, order: `run-${instance}-${asked.slice(0, digestChars)}` };
    const entries = await seat.store.journal.about(instance, LIMITS.readEntriesMax);
    const admitted = entries.find(({ kind }) => kind === "worker.admitted");
    if (admitted?.kind !== "worker.admitted") {
      if (!isWithdrawn(entries, ids) || attempt + 1 >= attemptsMax) return { kind: "fresh", ids };
      continue;
    }
    if (admitted.id !== ids.order) return { kind: "refused", answer: mismatch(runId, instance) };
    // Nothing of it ever ran, and nothing ever will: the next one may.
    const isLapsed = entries.some(({ kind }) => kind === "worker.lapsed");
    if (!isLapsed || attempt + 1 >= attemptsMax)
      return { kind: "known", manifest: admitted.data.manifest };
  }
}

function instanceOf(fleet: string, runId: string, attempt: number): string {
  const seed = sha256Of(canonicalText([fleet, runId, attempt]));
  return `w-${base32(Buffer.from(seed, "hex").subarray(0, instanceBytes))}`;
}

/**
 * The worker that a named start has come to, by what the journal says now: null where none was
 * admitted, or all that were have lapsed or were taken back before anything ran.
 */
export async function findRun(
  seat: Pick<Seat, "fleet"> & { readonly store: Pick<Seat["store"], "journal"> },
  runId: string,
): Promise<string | null> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const instance = instanceOf(seat.fleet, runId, attempt);
    const entries = await seat.store.journal.about(instance, LIMITS.readEntriesMax);
    if (entries.length === 0) return null;
    const isAdmitted = entries.some(({ kind }) => kind === "worker.admitted");
    if (isAdmitted && !entries.some(({ kind }) => kind === "worker.lapsed")) return instance;
  }
  return null;
}

/** The live worker that a named start has come to, by a state; null where none lives. */
export function findLiveRun(state: State, fleet: string, runId: string): string | null {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const worker = state.workers.get(instanceOf(fleet, runId, attempt));
    if (worker !== undefined && isLive(worker)) return worker.id;
  }
  return null;
}

/** Whether whoever asked for it took it back before it was admitted: its id is used up then. */
function isWithdrawn(entries: readonly Entry[], { order }: StartIds): boolean {
  return entries.some(({ id, command }) => id === order && command?.kind === "worker.stop");
}

function mismatch(runId: string, worker: string): RefusedAnswer {
  const message = `the run ${runId} must be asked for as it was first, it was another request`;
  return refusedAnswer(refuse("command_mismatch", message, { run_id: runId, worker }));
}
