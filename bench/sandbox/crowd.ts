import { readFileSync } from "node:fs";
import type { Course } from "../measure.ts";

/** What the workers of a crowd do. */
export const CROWDS = {
  /** Nothing. */
  sleeping: ["sleep", "3600"],
  /** Starts a short child a second, and so has its kill meet a fork now and then. */
  forking: ["/bin/sh", "-c", "while :; do sleep 1; done"],
} as const;

/** The name of a crowd. */
export type CrowdName = keyof typeof CROWDS;

/** How many are started at the same time, before anything is measured. */
const AT_A_TIME = 8;

/** What one sandbox takes of its host at most, with its share of what looks after it. */
const EACH = { memoryBytes: 6 * 2 ** 20, processes: 5, openFiles: 8 } as const;

/** How often one start is tried that a mount of the host's has failed which went meanwhile. */
const ATTEMPTS = 3;
const MOUNT_WENT = /Unable to apply mount flags/;

/** Starts so many, several at a time, and tells how far it is. */
export async function startCrowd(
  count: number,
  course: Course,
  start: (index: number) => Promise<void>,
): Promise<void> {
  const { signal } = course;
  let begun = 0;
  const failures: unknown[] = [];
  const tryToStart = async (index: number): Promise<void> => {
    for (let attempt = 1; attempt < ATTEMPTS; attempt += 1)
      if (await start(index).then(isDone, isNotDoneYet)) return;
    await start(index);
  };
  const startSome = async (): Promise<void> => {
    while (begun < count && failures.length === 0 && !signal.aborted) {
      begun += 1;
      course.tell(`${begun} of ${count} started`);
      await tryToStart(begun - 1).catch((error: unknown) => failures.push(error));
    }
  };
  // None is left under way: what was started is ended next.
  await Promise.all(Array.from({ length: AT_A_TIME }, startSome));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

const isDone = (): boolean => true;
const isNotDoneYet = (error: unknown): boolean => {
  if (!MOUNT_WENT.test(String(error))) throw error;
  return false;
};

/** Demands that this host has room for so many sandboxes; throws a sentence on what lacks. */
export function demandRoom(count: number): void {
  const has = {
    memoryBytes: Number(/^MemAvailable: +(\d+) kB$/m.exec(read("meminfo"))?.[1] ?? 0) * 1_024,
    processes: Math.min(Number(read("sys/kernel/pid_max")), limitOf("Max processes")),
    openFiles: limitOf("Max open files"),
  };
  for (const what of ["memoryBytes", "processes", "openFiles"] as const) {
    const needed = count * EACH[what];
    if (has[what] >= needed) continue;
    throw new Error(`${count} sandboxes need ${what} of ${needed}, this host has ${has[what]}`);
  }
}

/** A limit of this process, and of what it starts (proc_pid_limits(5)). */
function limitOf(name: string): number {
  const line = read("self/limits")
    .split("\n")
    .find((one) => one.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/ +/)[1];
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

function read(name: string): string {
  return readFileSync(`/proc/${name}`, "latin1");
}
