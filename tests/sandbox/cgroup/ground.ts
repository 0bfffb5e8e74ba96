// Real control groups of a fleet of its own for each test; ended and removed after it.
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect } from "vitest";
import type { Cgroup, CgroupPower, CgroupTree } from "../../../src/sandbox/cgroup/cgroup.ts";
import { findCgroups } from "../../../src/sandbox/cgroup/find.ts";
import { needs } from "../../support/require-all.ts";

const pollMs = 10;

/** Each of the named files takes its process in; then it becomes another program. */
const joinScript =
  'while [ "$1" != -- ]; do echo 0 > "$1" && shift || exit 99; done; shift; exec "$@"';

/** A program whose output a test reads. */
export type Started = ChildProcessByStdio<null, Readable, Readable>;

/** What a test works with; made anew for each. */
export interface Ground {
  fleet: string;
  /** The groups of the fleet; skips the test where there are none that can do this. */
  tree(...powers: readonly CgroupPower[]): CgroupTree;
  /** Starts a program in a group. */
  start(group: Cgroup, ...command: readonly string[]): Started;
}

/** Gives each test of a file a fleet of its own. */
export function useGround(): Ground {
  let found: CgroupTree | undefined;
  const children: ChildProcess[] = [];
  const ground: Ground = {
    fleet: "",
    tree(...powers) {
      needs(
        found !== undefined && powers.every((one) => found?.can[one] === true),
        `no control groups can be made here that hold ${powers.join(", ")}`,
      );
      return found;
    },
    start(group, ...command) {
      const args = ["-c", joinScript, "sh", ...group.joinFiles, "--", ...command];
      const child = spawn("sh", args, { stdio: ["ignore", "pipe", "pipe"] });
      children.push(child);
      return child;
    },
  };
  beforeEach(async () => {
    ground.fleet = `t-${randomBytes(6).toString("hex")}`;
    found = await findCgroups(ground.fleet);
  });
  afterEach(async () => {
    for (const instance of (await found?.list()) ?? []) {
      const group = found?.open(instance);
      await group?.kill();
      await expect.poll(() => group?.isEmpty()).toBe(true);
      await group?.remove();
    }
    expect((await found?.list()) ?? []).toEqual([]);
    for (const child of children.splice(0)) await ended(child);
  });
  return ground;
}

/** Waits until a child has ended; answers its exit code, or the signal that ended it. */
export async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}

/** Asks until the answer is good, and answers it. */
export async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  const deadlineAtMs = performance.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (performance.now() > deadlineAtMs) {
      throw new Error(`waited 20 s in vain, the last answer was ${JSON.stringify(answer)}`);
    }
    await pause(pollMs);
  }
}

/** Waits until a child is in all folders of a group. */
export async function joined(group: Cgroup, child: ChildProcess): Promise<void> {
  await until(
    () => Promise.resolve(group.joinFiles.map((file) => readFileSync(file, "latin1").split("\n"))),
    (lists) => lists.every((pids) => pids.includes(String(child.pid))),
  );
}

/** The processor time that a group has used, in ms. */
export async function cpuMs(group: Cgroup): Promise<number> {
  return (await group.use()).cpu_ms ?? 0;
}
