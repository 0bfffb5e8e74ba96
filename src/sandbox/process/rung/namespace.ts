import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { shareScans } from "../scan.ts";

/** Pids read before other work of this process gets its turn. */
const pidsPerTurn = 256;

/** The processes that are below another at once, by /proc; empty when it ended. */
export function childrenOf(pid: number): readonly number[] {
  const listed = readText(`/proc/${pid}/task/${pid}/children`);
  if (listed !== undefined) return listed.split(" ").filter(Boolean).map(Number);
  // A kernel without that file.
  return listPids().filter((one) => parentOf(one) === pid);
}

/** The pid namespace of a process, as its link reads; undefined when it ended or is not ours. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // ENOENT: it ended. EACCES: another user's.
    return undefined;
  }
}

/** Whether a process is the first of a pid namespace below this one. */
export function isNamespaceInit(pid: number): boolean {
  return innerPid(pid) === 1;
}

/** The arguments of a process; empty for a zombie, and when it ended. */
export function argumentsOf(pid: number): readonly string[] {
  return readText(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1) ?? [];
}

/** The processes whose pid namespace can be told, by it; one look for all who ask at once. */
export const listNamespaces: () => Promise<ReadonlyMap<string, readonly number[]>> = shareScans(
  async () => {
    const found = new Map<string, number[]>();
    for (const [index, pid] of listPids().entries()) {
      if (index % pidsPerTurn === 0) await nextTurn();
      const namespace = namespaceOf(pid);
      if (namespace === undefined) continue;
      const pids = found.get(namespace) ?? [];
      found.set(namespace, pids);
      pids.push(pid);
    }
    return found;
  },
);

function innerPid(pid: number): number {
  const line = readText(`/proc/${pid}/status`)
    ?.split("\n")
    .find((one) => one.startsWith("NSpid:"));
  return Number(line?.split("\t").at(-1));
}

function parentOf(pid: number): number {
  const stat = readText(`/proc/${pid}/stat`) ?? "";
  return Number(stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[1]);
}

function listPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended, or this kernel has no such file.
    return undefined;
  }
}
