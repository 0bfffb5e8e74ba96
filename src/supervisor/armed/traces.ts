import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDead, readProcess, type ProcessIdentity } from "../../system/process.ts";

/** Processes looked at before other work of this process gets its turn. */
const pidsPerTurn = 64;

/** The bit of SIGTERM in the masks of /proc/PID/status. */
const TERM_BIT = 1n << 14n;

/** A live process that bears a mark. */
export interface Trace extends ProcessIdentity {
  /** Its arguments. */
  readonly args: readonly string[];
  readonly ignoresTerm: boolean;
}

/**
 * The live processes of this host that bear a mark, in their environment or their arguments, by
 * the process table alone: no driver is asked. What may not be read of others counts as unmarked.
 */
export async function findTraces(mark: string): Promise<readonly Trace[]> {
  const found: Trace[] = [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const [index, pid] of pids.entries()) {
    if (index % pidsPerTurn === pidsPerTurn - 1) await nextTurn();
    const [cmdline, environ] = [readOr(pid, "cmdline"), readOr(pid, "environ")];
    if (!cmdline.includes(mark) && !environ.includes(mark)) continue;
    const status = readProcess(Number(pid));
    if (status === undefined || isDead(status)) continue;
    const [, mask = "0"] = /^SigIgn:\t([0-9a-f]+)$/m.exec(readOr(pid, "status")) ?? [];
    const ignoresTerm = (BigInt(`0x${mask}`) & TERM_BIT) !== 0n;
    found.push({ ...status, args: cmdline.split("\0"), ignoresTerm });
  }
  return found;
}

function readOr(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // It ended meanwhile, or belongs to another user.
    return "";
  }
}
