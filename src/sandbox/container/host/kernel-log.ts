// Some engines do not tell that a container ran out of memory: Podman's conmon misses it on version
// 1 of control groups, where the kernel speaks before it has counted. The kernel's log says it, and
// names the group: `oom-kill:constraint=CONSTRAINT_MEMCG,…,task_memcg=/…/libpod-ID,…`. Who may not
// read that log, or comes when newer lines have pushed it out, does not learn of it.

import { closeSync, constants, openSync, readSync } from "node:fs";

/** The longest record that the kernel gives at once, bytes. */
const recordBytesMax = 8_192;

/** More than any ring of the kernel's holds. */
const recordsMax = 100_000;

/** How often the kernel's log says that something in a container was killed for want of memory. */
export function countMemoryKills(id: string): number {
  let count = 0;
  for (const line of readKernelLog()) {
    if (line.includes("oom-kill:constraint=CONSTRAINT_MEMCG") && line.includes(id)) count += 1;
  }
  return count;
}

function* readKernelLog(): Generator<string> {
  const fd = tryOpen();
  if (fd === undefined) return;
  const buffer = Buffer.alloc(recordBytesMax);
  try {
    for (let count = 0; count < recordsMax; count += 1) {
      const line = readRecord(fd, buffer);
      if (line === undefined) return;
      yield line;
    }
  } finally {
    closeSync(fd);
  }
}

function tryOpen(): number | undefined {
  try {
    return openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Not there, or not for this user.
    return undefined;
  }
}

/** One record; undefined at the end. EPIPE: it was overwritten just now, the next one follows. */
function readRecord(fd: number, buffer: Buffer): string | undefined {
  try {
    return buffer.toString("latin1", 0, readSync(fd, buffer));
  } catch (error) {
    const isOverwritten = error instanceof Error && "code" in error && error.code === "EPIPE";
    return isOverwritten ? "" : undefined;
  }
}
