// One of several processes that want the same small ground. Again and again it asks for
// something, writes to what it was granted, renews it or not, and gives it back or leaves it to
// lapse. It tells what it believes; who was stopped meanwhile may be wrong.
// Arguments: the state folder, its name as a holder.
import { randomInt } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openFleet, Refused, sqlite, type AcquireOptions, type LeaseHandle } from "stint";
import { LANES, pathsIn, REGIONS } from "./small-ground.ts";

/** What a process tells. */
export type Word =
  | { readonly said: "ready" }
  | { readonly said: "held"; readonly lease: string; readonly fence: number }
  | { readonly said: "left"; readonly lease: string }
  | { readonly said: "wrote"; readonly path: string; readonly fence: number; readonly turn: number }
  | { readonly said: "woke"; readonly found: Found | null };

/** What a process found that was stopped while it held a lease. */
export interface Found {
  readonly lease: string;
  readonly fence: number;
  readonly path: string;
  readonly allowed: boolean;
  readonly reason: string;
  /** The code of the refusal, or `granted`. */
  readonly renewal: string;
}

/** What a process is told: that it is over, or whether the write of a turn was accepted. */
export type Reply = "over" | { readonly turn: number; readonly accepted: boolean };

const [dir = "", holder = ""] = process.argv.slice(2);
const fleet = await patiently(() => openFleet({ store: sqlite({ dir }), steward: false }));
const over = new AbortController();
const replies = new Map<number, (accepted: boolean) => void>();
let held: LeaseHandle | undefined;
let turn = 0;

process.on("message", (reply: Reply) => {
  if (reply === "over") return over.abort();
  replies.get(reply.turn)?.(reply.accepted);
  replies.delete(reply.turn);
});
// Whoever was stopped learns of it here first, before any timer of the lease.
process.on("SIGCONT", () => void wake(held));
tell({ said: "ready" });
while (!over.signal.aborted) await patiently(live);
await fleet.close();
process.disconnect();

async function live(): Promise<void> {
  const asked = await fleet.tryAcquire(wish());
  if (!asked.ok) return pause(randomInt(20));
  const { lease } = asked;
  held = lease;
  tell({ said: "held", lease: lease.id, fence: lease.fence });
  try {
    await workUnder(lease);
  } finally {
    held = undefined;
    tell({ said: "left", lease: lease.id });
  }
}

/** What is wanted next: by region or by lane, to write or to read, for one to three seconds. */
function wish(): AcquireOptions {
  const ttlMs = 1_000 * (1 + randomInt(3));
  // More often where several may be at once, or there would never be one too many.
  if (randomInt(4) === 0) return { holder, ttlMs, lane: "shelf" };
  if (randomInt(8) === 0)
    return { holder, ttlMs, lane: LANES[randomInt(LANES.length)]?.name ?? "" };
  const mode = randomInt(3) === 0 ? "shared" : "exclusive";
  return { holder, ttlMs, mode, region: REGIONS[randomInt(REGIONS.length)] ?? [] };
}

async function workUnder(lease: LeaseHandle): Promise<void> {
  const paths = pathsIn(lease.view().region);
  const isWriter = lease.view().mode === "exclusive";
  for (let rounds = randomInt(30); rounds > 0 && !over.signal.aborted; rounds -= 1) {
    if (lease.signal.aborted) return;
    const path = paths[randomInt(paths.length)] ?? "";
    if (isWriter) await write(path, lease.fence);
    await pause(randomInt(40));
    if (randomInt(8) === 0) await gone(lease.renew());
  }
  // Now and then it is forgotten, and has to lapse.
  if (randomInt(6) !== 0) await gone(lease.release());
}

/** Acts as if nothing had happened meanwhile: the worst that a holder can do. */
async function wake(lease: LeaseHandle | undefined): Promise<void> {
  if (lease === undefined) return tell({ said: "woke", found: null });
  const { id, fence } = lease;
  const { region, mode } = lease.view();
  const paths = pathsIn(region);
  const path = paths[0] ?? "";
  const [verdict] = await patiently(() => fleet.check(path, { holder, fence, cwd: dirname(dir) }));
  const { allowed = true, reason = "" } = verdict ?? {};
  const renewal = (await patiently(() => gone(lease.renew()))) ?? "granted";
  if (mode === "exclusive") for (const one of paths) await write(one, fence);
  tell({ said: "woke", found: { lease: id, fence, path, allowed, reason, renewal } });
}

function write(path: string, fence: number): Promise<boolean> {
  turn += 1;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  replies.set(turn, resolve);
  tell({ said: "wrote", path, fence, turn });
  return promise;
}

/** The code with which something was refused, or undefined. */
async function gone(asked: Promise<unknown>): Promise<string | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

/** Somebody else may be stopped with the journal's lock in its hand: that passes. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const isPassing = (error as { readonly retryable?: unknown }).retryable === true;
      if (!isPassing) throw error;
    }
  }
}

function tell(word: Word): void {
  process.send?.(word);
}
