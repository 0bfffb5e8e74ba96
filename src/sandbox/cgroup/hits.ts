// The kernel counts how often a group came up against what it may have. Those counts are exact and
// stay until the group is removed, whoever looks.

import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  HIT_LIMITS,
  type HitLimit,
  type HitMeasure,
  type LimitHit,
} from "../../kernel/worker/limit.ts";
import { readCount, readField } from "./control-file.ts";
import { seek, type Layout } from "./layout.ts";

/** A larger limit is none: what old groups say that have no bound on memory. */
const boundMax = Number.MAX_SAFE_INTEGER;

/** The part of its memory that a group has used when it is refused more: it is given batches. */
const nearlyAll = 7 / 8;

type ReadHit = (folder: string) => Promise<HitMeasure | undefined>;

/** The files in which the kernel counts, by version, and what is made of them and those beside. */
const COUNTERS: Readonly<Partial<Record<HitLimit, Readonly<Record<string, ReadHit>>>>> = {
  memory_bytes: { "memory.events": readMemory, "memory.oom_control": readLegacyMemory },
  processes: { "pids.events": readProcesses },
};

/** What reads a limit's hits of one group. */
interface Counter {
  readonly limit: HitLimit;
  readonly read: () => Promise<HitMeasure | undefined>;
}

/**
 * Makes what reads what a group has been up against, from all its folders. Where it is counted is
 * looked for once: of 12 files there are two.
 */
export function hitsOf(
  folders: readonly string[],
  layout: Layout,
): () => Promise<readonly LimitHit[]> {
  let counters: readonly Counter[] = [];
  return async () => {
    if (counters.length === 0) counters = findCounters(folders, layout);
    const hits: LimitHit[] = [];
    for (const { limit, read } of counters) {
      const hit = await read();
      if (hit !== undefined) hits.push({ limit, ...hit });
    }
    return hits;
  };
}

function findCounters(folders: readonly string[], layout: Layout): readonly Counter[] {
  return HIT_LIMITS.flatMap((limit) => {
    const counters = COUNTERS[limit] ?? {};
    const sought = { what: `hits of ${limit}`, folders, names: Object.keys(counters) };
    const found = seek(layout, sought, ({ index, name }): Counter | undefined => {
      const [folder, read] = [folders[index], counters[name]];
      if (folder === undefined || read === undefined) return undefined;
      return existsSync(join(folder, name)) ? { limit, read: () => read(folder) } : undefined;
    });
    return found ?? [];
  });
}

/** A process that was killed because the group itself had no memory left, and not the host. */
async function readMemory(folder: string): Promise<HitMeasure | undefined> {
  const events = join(folder, "memory.events");
  const count = (await readField(events, "oom_kill")) ?? 0;
  if (count === 0 || ((await readField(events, "oom")) ?? 0) === 0) return undefined;
  const value = await readCount(join(folder, "memory.max"));
  const peak = await readCount(join(folder, "memory.peak"));
  return bounded({ value, use: peak ?? value, count });
}

async function readLegacyMemory(folder: string): Promise<HitMeasure | undefined> {
  const count = (await readField(join(folder, "memory.oom_control"), "oom_kill")) ?? 0;
  if (count === 0) return undefined;
  const value = await readCount(join(folder, "memory.limit_in_bytes"));
  const use = await readCount(join(folder, "memory.max_usage_in_bytes"));
  // Old groups do not count refusals apart: whom the host has killed was not at his own limit.
  const isOwn = value !== undefined && use !== undefined && use >= value * nearlyAll;
  return isOwn ? bounded({ value, use, count }) : undefined;
}

/** A fork that was refused. Where a group above has refused it, this one had not all of its own. */
async function readProcesses(folder: string): Promise<HitMeasure | undefined> {
  const count = (await readField(join(folder, "pids.events"), "max")) ?? 0;
  if (count === 0) return undefined;
  const value = await readCount(join(folder, "pids.max"));
  const use = (await readCount(join(folder, "pids.peak"))) ?? value;
  return value !== undefined && use !== undefined && use < value
    ? undefined
    : bounded({ value, use, count });
}

function bounded(so: {
  readonly value: number | undefined;
  readonly use: number | undefined;
  readonly count: number;
}): HitMeasure | undefined {
  const { value, use, count } = so;
  if (value === undefined || use === undefined || value > boundMax) return undefined;
  return { value, use, count };
}
