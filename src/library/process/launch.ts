// How a worker that is a process comes into being:
//
//     admitted (durable) ──▶ sandbox started ──▶ registered by the process itself ──▶ running
//                                │                        │
//                    failed: reservation      exited, told to stop, or too late:
//                    given back at once       swept, reservation given back
//
// The fleet may be killed between any two of these: the start is looked at again when the process
// is in the driver's records, where every later sweep finds it.

import type { Manifest } from "../../kernel/worker/manifest.ts";
import { Fault } from "../../ports/fault.ts";
import type { Envelope } from "../../ports/signer.ts";
import { supervisorOf, type Seat, type Secret } from "../seat.ts";
import type { StoreAddress } from "../fleet/store.ts";
import type { Sandboxes } from "./sandboxes.ts";
import { hasEnded, untilWorker } from "../worker/until.ts";

/** Names of what a started process finds in its sandbox's folder. */
export const JOIN_FILES = {
  manifest: "manifest.json",
  join: "join.json",
  secret: "secret.json",
} as const;

/** The environment variable that names the sandbox's folder; a path, never a secret. */
export const SANDBOX_VARIABLE = "STINT_SANDBOX";

/** `join.json`: how a started process finds the fleet that it belongs to. */
export interface JoinDocument {
  readonly version: 1;
  readonly fleet: string;
  readonly instance: string;
  readonly store: StoreAddress;
}

/** `secret.json`: the fleet's secret, in the form that the user gave it. */
export type SecretDocument = { readonly text: string } | { readonly base64: string };

/** What to run for an admitted worker. */
export interface LaunchOrder {
  readonly manifest: Manifest;
  readonly envelope: Envelope;
  readonly run: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long after its registration was due a launch asks whether it has lapsed, ms. */
const lapseMarginMs = 20;

/**
 * Starts the process of an admitted worker and waits until it has registered.
 *
 * Resolves also when the worker was told to stop, or the fleet was killed, before that: the state
 * says so. Throws `Fault` `sandbox_failed` when it could not be started or ended by itself before
 * it had registered; the reservation has been given back by then.
 */
export async function launch(seat: Seat, sandboxes: Sandboxes, order: LaunchOrder): Promise<void> {
  const { manifest, run, cwd, env } = order;
  const { instance: id } = manifest;
  const folder = sandboxes.folder(id);
  await sandboxes.start({
    instance: id,
    run,
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, [SANDBOX_VARIABLE]: folder },
    files: filesFor(seat, order),
  });
  const cancel = askAboutLapse(seat, manifest);
  try {
    await untilWorker(seat, id, (worker) => worker?.status !== "admitted");
  } finally {
    cancel();
  }
  const { status, workers } = seat.loop.state();
  if (status === "killed" || !hasEnded(workers.get(id))) return;
  await demandRegistered(seat, sandboxes, id);
}

/** A process that registered and ended at once was started well; any other was not. */
async function demandRegistered(seat: Seat, sandboxes: Sandboxes, id: string): Promise<void> {
  const entries = await seat.store.journal.about(id, entriesMax);
  if (entries.some(({ kind }) => kind === "worker.registered")) return;
  const said = sandboxes.lastWordsOf(id);
  const words = said === "" ? "it said nothing" : `it said: ${said}`;
  const message = `the process of ${id} must register with its manifest, it did not: ${words}`;
  throw new Fault("sandbox_failed", message);
}

/** More than a worker that never ran can have. */
const entriesMax = 64;

function filesFor(seat: Seat, order: LaunchOrder): Readonly<Record<string, string>> {
  const { address } = seat.store;
  if (address === undefined) {
    const message = "a process needs a store that it can open too, got one of this process alone";
    throw new Fault("sandbox_unavailable", message);
  }
  const { fleet } = seat;
  const join: JoinDocument = {
    version: 1,
    fleet,
    instance: order.manifest.instance,
    store: address,
  };
  return {
    [JOIN_FILES.manifest]: JSON.stringify(order.envelope),
    [JOIN_FILES.join]: JSON.stringify(join),
    [JOIN_FILES.secret]: JSON.stringify(secretDocument(seat.keys.secret)),
  };
}

function secretDocument(secret: Secret): SecretDocument {
  if (typeof secret === "string") return { text: secret };
  return { base64: Buffer.from(secret).toString("base64") };
}

/** A reservation lapses by time alone, but somebody has to ask; a joined process has no ticker. */
function askAboutLapse(seat: Seat, manifest: Manifest): () => void {
  const dueMs = manifest.register_by_ms - manifest.issued_at_ms + lapseMarginMs;
  return seat.timers.after(dueMs, () => {
    const tick = { kind: "clock.tick", data: {} } as const;
    seat.loop.submit(tick, supervisorOf(seat)).catch((error: unknown) => {
      // The next command finds the reservation lapsed as well.
      seat.log.warn("a reservation could not be looked at", { error });
    });
  });
}
