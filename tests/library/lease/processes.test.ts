import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sqlite, type Fleet } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { FROM_SOURCE } from "../../support/from-source.ts";
import { makeFolder, openRoomy, SECRET } from "../rig.ts";
import { LONG_MS } from "./rig.ts";

const PROGRAM = fileURLToPath(new URL("./stopped.case.ts", import.meta.url));

interface Line {
  readonly id?: string;
  readonly fence?: number;
  readonly isTrusted?: boolean;
  readonly isLost?: boolean;
  readonly codes?: readonly string[];
}

/** A process that holds a lease of one second, and what it says. */
async function holderOf(
  dir: string,
): Promise<{ readonly child: ChildProcess; readonly next: () => Promise<Line> }> {
  const args = [FROM_SOURCE, PROGRAM, dir, SECRET];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  if (child.stdout === null) throw new Error("a process must have its output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<Line> => JSON.parse(String((await lines.next()).value)) as Line;
  return { child, next };
}

/** Waits until a region can be had by another, and answers that one's lease. */
async function inherit(fleet: Fleet) {
  for (;;) {
    const answer = await fleet.tryAcquire({ region: "src/**", holder: "bob", ttlMs: LONG_MS });
    if (answer.ok) return answer.lease;
    await pause(200);
  }
}

test("[LB105] who was stopped longer than his lease relies on nothing (leases H03)", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  const { child, next } = await holderOf(dir);
  const held = await next();
  child.kill("SIGSTOP");
  // Long enough for it to notice, however late in its time it was stopped.
  const [heir] = await Promise.all([inherit(fleet), pause(2_000)]);
  expect(heir.fence).toBeGreaterThan(held.fence ?? Infinity);
  child.kill("SIGCONT");
  // Before anything else that it could do: its own clock tells it.
  expect(await next()).toEqual({
    isTrusted: false,
    isLost: true,
    codes: ["lease_ended", "lease_ended"],
  });
  expect(heir.signal.aborted).toBe(false);
  expect(fleet.leases()).toMatchObject([{ id: heir.id, holder: "bob" }]);
});

test("[LB106] who is killed blocks his own ground, for his time (leases H38)", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  const { child, next } = await holderOf(dir);
  const held = await next();
  child.kill("SIGKILL");
  await once(child, "exit");
  const other = await fleet.acquire({ region: "docs/**", holder: "bob", ttlMs: LONG_MS });
  expect(other.view().isLive).toBe(true);
  const heir = await inherit(fleet);
  expect(heir.id).not.toBe(held.id);
  expect((await fleet.findLease(String(held.id)))?.ended).toMatchObject({ how: "lapsed" });
});

test("[LB102] two of one name in one second have a lease each (leases H01)", async () => {
  const dir = makeFolder();
  const [one, two] = await Promise.all([
    openRoomy({ store: sqlite({ dir }) }),
    openRoomy({ store: sqlite({ dir }) }),
  ]);
  const [first, second] = await Promise.all([
    one.acquire({ region: "src/a/**", holder: "anna", ttlMs: LONG_MS }),
    two.acquire({ region: "src/b/**", holder: "anna", ttlMs: LONG_MS }),
  ]);
  expect(first.id).not.toBe(second.id);
  expect(first.token).not.toBe(second.token);
  await first.release();
  expect(await two.findLease(second.id)).toMatchObject({ isLive: true });
  expect(second.signal.aborted).toBe(false);
});
