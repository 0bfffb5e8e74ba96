// Sets the limits of one group in one hierarchy. What a group's folder has no file for is held by
// its folder in another hierarchy, or by nobody: the tree says which.

import { join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import { isAbsent, readControl, readCount, writeControl } from "./control-file.ts";

/** The spans over which a group's share of the processors is counted, in µs. */
const cpuPeriodUs = 100_000;
const cpuPeriodUsMax = 1_000_000;

/** The least time that the kernel grants in such a span, in µs. */
const cpuQuotaUsMin = 1_000;

/**
 * Bounds the memory of a group, swap included where it is counted. Answers false, with nothing
 * changed, when the group uses more than that and the kernel can take none of it back.
 */
export async function limitMemory(folder: string, bytes: number): Promise<boolean> {
  const [unified, legacy] = await Promise.all([
    readControl(join(folder, "memory.max")),
    readCount(join(folder, "memory.limit_in_bytes")),
  ]);
  if (unified !== undefined) return limitUnifiedMemory(folder, bytes);
  if (legacy !== undefined) return limitLegacyMemory(folder, bytes, legacy);
  return true;
}

async function limitUnifiedMemory(folder: string, bytes: number): Promise<boolean> {
  const [max, high] = [join(folder, "memory.max"), join(folder, "memory.high")];
  const before = (await readCount(max)) ?? Number.POSITIVE_INFINITY;
  if (bytes >= before) {
    await writeControl(max, String(bytes));
    return true;
  }
  // A maximum below what is used would kill at once. `high` takes back what can be taken and slows
  // the group down, so that between this look at its use and the maximum it hardly grows.
  try {
    await writeControl(high, String(bytes));
    const current = (await readCount(join(folder, "memory.current"))) ?? 0;
    if (current > bytes) return false;
    await writeControl(max, String(bytes));
  } finally {
    await writeControl(high, "max");
  }
  await writeIfThere(join(folder, "memory.swap.max"), "0");
  return true;
}

/** Swap and memory together may never be bounded lower than memory alone: hence the order. */
async function limitLegacyMemory(folder: string, bytes: number, before: number): Promise<boolean> {
  const limit = join(folder, "memory.limit_in_bytes");
  const withSwap = join(folder, "memory.memsw.limit_in_bytes");
  if (bytes >= before) {
    return (await writeUnlessUsed(withSwap, bytes)) && writeUnlessUsed(limit, bytes);
  }
  if (!(await writeUnlessUsed(limit, bytes))) return false;
  if (await writeUnlessUsed(withSwap, bytes)) return true;
  await writeControl(limit, String(before));
  return false;
}

/** Answers false when more is used than that, true also when there is no such file. */
async function writeUnlessUsed(file: string, bytes: number): Promise<boolean> {
  try {
    await writeControl(file, String(bytes));
    return true;
  } catch (error) {
    if (codeOf(error) === "EBUSY") return false;
    // No swap is counted on this host.
    if (isAbsent(error)) return true;
    throw error;
  }
}

/** Bounds the processes and threads of a group; those above the bound stay, and fork no more. */
export async function limitProcesses(folder: string, count: number): Promise<void> {
  await writeIfThere(join(folder, "pids.max"), String(count));
}

/** Whether a group has more processes and threads than that. */
export async function hasMoreProcesses(folder: string, count: number): Promise<boolean> {
  return ((await readCount(join(folder, "pids.current"))) ?? 0) > count;
}

/** Bounds the processor time of a group, in thousandths of a core. */
export async function limitCpu(folder: string, milli: number): Promise<void> {
  const isSmall = (cpuPeriodUs * milli) / 1_000 < cpuQuotaUsMin;
  const periodUs = isSmall ? cpuPeriodUsMax : cpuPeriodUs;
  const quotaUs = Math.max(cpuQuotaUsMin, Math.trunc((periodUs * milli) / 1_000));
  if ((await readControl(join(folder, "cpu.max"))) !== undefined) {
    await writeControl(join(folder, "cpu.max"), `${quotaUs} ${periodUs}`);
    return;
  }
  const [quota, period] = [join(folder, "cpu.cfs_quota_us"), join(folder, "cpu.cfs_period_us")];
  if ((await readControl(quota)) === undefined) return;
  if ((await readCount(period)) !== periodUs) {
    // With the old quota the new period could be more than is allowed here.
    await writeControl(quota, "-1");
    await writeControl(period, String(periodUs));
  }
  try {
    await writeControl(quota, String(quotaUs));
  } catch (error) {
    // EINVAL: a group above has less than that; what it has binds this one anyway.
    if (codeOf(error) !== "EINVAL") throw error;
    await writeControl(quota, "-1");
  }
}

async function writeIfThere(file: string, text: string): Promise<void> {
  try {
    await writeControl(file, text);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}
