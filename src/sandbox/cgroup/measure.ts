import { join } from "node:path";
import type { CgroupUse } from "./cgroup.ts";
import { readCount, readField } from "./control-file.ts";

const usPerMs = 1_000;
const nsPerMs = 1_000_000;

/**
 * What a group uses, from all its folders: each field by the first hierarchy that measures it.
 * All fields are absent when the group does not exist.
 */
export async function measure(folders: readonly string[]): Promise<CgroupUse> {
  const first = async (
    read: (folder: string) => Promise<number | undefined>,
  ): Promise<number | undefined> => {
    for (const folder of folders) {
      const value = await read(folder);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const [memory, peak, oomKills, processes, cpuUs, cpuNs] = await Promise.all([
    first((at) => readEither(at, "memory.current", "memory.usage_in_bytes")),
    first((at) => readEither(at, "memory.peak", "memory.max_usage_in_bytes")),
    first(readOomKills),
    first((at) => readCount(join(at, "pids.current"))),
    first((at) => readField(join(at, "cpu.stat"), "usage_usec")),
    first((at) => readCount(join(at, "cpuacct.usage"))),
  ]);
  const cpuMs = cpuUs === undefined ? scale(cpuNs, nsPerMs) : scale(cpuUs, usPerMs);
  return {
    ...(memory !== undefined && { memory_bytes: memory }),
    ...(peak !== undefined && { peak_memory_bytes: peak }),
    ...(oomKills !== undefined && { oom_kill_count: oomKills }),
    ...(processes !== undefined && { processes }),
    ...(cpuMs !== undefined && { cpu_ms: cpuMs }),
  };
}

async function readEither(
  folder: string,
  unified: string,
  legacy: string,
): Promise<number | undefined> {
  return (await readCount(join(folder, unified))) ?? (await readCount(join(folder, legacy)));
}

async function readOomKills(folder: string): Promise<number | undefined> {
  return (
    (await readField(join(folder, "memory.events"), "oom_kill")) ??
    (await readField(join(folder, "memory.oom_control"), "oom_kill"))
  );
}

function scale(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : Math.trunc(value / by);
}
