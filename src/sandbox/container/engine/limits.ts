import type Dockerode from "dockerode";
import type { SandboxLimits, SandboxUse } from "../../../ports/sandbox.ts";

/** What a quota of processor time is counted in, µs; the kernel's own default. */
const periodUs = 100_000;

/** The least quota that kernels take, µs. */
const quotaUsMin = 1_000;

/** Limits as an engine is told them when a container is created. */
export function limitsOf(limits: SandboxLimits): Dockerode.HostConfig {
  const { memory_bytes: memory, cpu_milli: milli, processes } = limits;
  return {
    // No swap beside it.
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    ...(milli === undefined ? {} : { CpuPeriod: periodUs, CpuQuota: quotaOf(milli) }),
    ...(processes === undefined ? {} : { PidsLimit: processes }),
  };
}

/** The same for a container that runs, in the words of Docker's call and of Podman's own. */
export function updateBodies(limits: SandboxLimits): {
  readonly docker: Dockerode.HostConfig;
  readonly libpod: object;
} {
  const { memory_bytes: memory, cpu_milli: milli, processes } = limits;
  const libpod = {
    ...(memory === undefined ? {} : { memory: { limit: memory, swap: memory } }),
    ...(milli === undefined ? {} : { cpu: { quota: quotaOf(milli), period: periodUs } }),
    ...(processes === undefined ? {} : { pids: { limit: processes } }),
  };
  return { docker: limitsOf(limits), libpod };
}

/** Whether a use is above one of these limits. */
export function isAbove(use: SandboxUse, limits: SandboxLimits): boolean {
  const { memory_bytes: memory = Infinity, processes = Infinity } = limits;
  return (use.memory_bytes ?? 0) > memory || (use.processes ?? 0) > processes;
}

function quotaOf(milli: number): number {
  return Math.max(quotaUsMin, Math.round((milli * periodUs) / 1_000));
}
