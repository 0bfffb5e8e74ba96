// What tests of the library stand on: fleets that are closed, and killed, when their test is over.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  memory,
  openFleet,
  type ContractOptions,
  type EntryView,
  type Fleet,
  type FleetOptions,
} from "stint";
import { expect, onTestFinished } from "vitest";

/** A secret that is good enough for tests and no good for anything else. */
export const SECRET = "a secret that only tests of the library have";

/** A contract that lets everything through that a test is not about. */
export const ROOMY: ContractOptions = {
  maxDepth: 5,
  maxReplicas: 50,
  lifetimeMs: 600_000,
  allowDegraded: ["same_user", "network"],
};

/** Opens a fleet that is killed and closed when the running test is over. */
export async function openRoomy(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = await openFleet({ store: memory(), secret: SECRET, contract: ROOMY, ...options });
  closeAfterwards(fleet);
  return fleet;
}

/** Opens a fleet as {@link openRoomy}, under a contract that differs from the roomy one. */
export function openUnder(contract: ContractOptions): Promise<Fleet> {
  return openRoomy({ contract: { ...ROOMY, ...contract } });
}

/** Kills and closes a fleet when the running test is over, unless the test did. */
export function closeAfterwards(fleet: Fleet): void {
  onTestFinished(async () => {
    await fleet.kill({ reason: "end of test", settleMs: 0 }).catch(ignoreClosed);
    await fleet.close();
  });
}

function ignoreClosed(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== "closed") throw error;
}

/** A folder that is removed when the running test is over. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stint-library-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The entries of a fleet but for signed heads, which come when they come. */
export async function entriesOf(fleet: Fleet): Promise<readonly EntryView[]> {
  const entries: EntryView[] = [];
  for await (const entry of fleet.entries())
    if (entry.kind !== "journal.signed") entries.push(entry);
  return entries;
}

/** The kinds of a fleet's entries but for signed heads. */
export async function kindsOf(fleet: Fleet): Promise<readonly string[]> {
  return (await entriesOf(fleet)).map(({ kind }) => kind);
}

/** The codes of all refusals on record, in order. */
export async function refusalsOf(fleet: Fleet): Promise<readonly string[]> {
  const entries = await entriesOf(fleet);
  return entries.flatMap((entry) => (entry.kind === "command.refused" ? [entry.data.code] : []));
}

/** The granted part of an answer; a refusal fails the test with its text. */
export function granted<T>(
  answer: ({ readonly ok: true } & T) | { readonly ok: false; readonly refusal: object },
): T {
  if (!answer.ok)
    throw new Error(`must be granted, was refused: ${JSON.stringify(answer.refusal)}`);
  return answer;
}

/** The code of a refusal, or `granted`. */
export function codeOf(
  answer:
    { readonly ok: true } | { readonly ok: false; readonly refusal: { readonly code: string } },
): string {
  return answer.ok ? "granted" : answer.refusal.code;
}

/** What a promise rejects with; resolving fails the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }
  throw new Error("must reject, it resolved");
}

/** A promise that resolves once the signal has fired, with its reason. */
export function fired(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

/** Waits for the first entry of a kind from now on. */
export function nextEntry<K extends EntryView["kind"]>(
  fleet: Fleet,
  kind: K,
): Promise<Extract<EntryView, { readonly kind: K }>> {
  return new Promise((resolve) => {
    const stop = fleet.on("entry", (entry) => {
      if (entry.kind !== kind) return;
      stop();
      // Narrowed by its kind just above.
      resolve(entry as Extract<EntryView, { readonly kind: K }>);
    });
  });
}

/** A switch that a test turns: `gate.open()` lets everybody pass who awaits `gate.passed`. */
export function makeGate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: () => resolve() };
}
