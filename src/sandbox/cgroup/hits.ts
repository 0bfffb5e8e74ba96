// The kernel counts how often a group came up against what it may have. Those counts are exact and
// stay until the group is removed, whoever looks.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { HitLimit, HitMeasure, LimitHit } from "../../kernel/worker/limit.ts";
import { readCount, readField } from "./control-file.ts";
import type { Layout } from "./layout.ts";

/** A larger limit is none: what old groups say that have no bound on memory. */
const boundMax = Number.MAX_SAFE_INTEGER;

/** The part of its memory that a group has used when it is refused more: it is given batches. */
const nearlyAll = 7 / 8;

/** A file in which the kernel counts, and what is made of it and those beside it. */
interface Counter {
  readonly file: string;
  readonly limit: HitLimit;
  readonly read: (folder: string) => Promise<HitMeasure | undefined>;
}

const COUNTERS: readonly Counter[] = [
  { file: "memory.events", limit: "memory_bytes", read: readMemory },
  { file: "memory.oom_control", limit: "memory_bytes", read: readLegacyMemory },
  { file: "pids.events", limit: "processes", read: readProcesses },
];

/**
 * Makes what reads what a group has been up against, from all its folders. Where it is counted is
 * looked for once: of 12 files there are two.
 */
export function hitsOf(
  folders: readonly string[],
  layout: Layout,
): () => Promise<readonly LimitHit[]> {
  let found: readonly { readonly folder: string; readonly counter: Counter }[] = [];
  return async () => {
    if (found.length === 0)
      found = COUNTERS.flatMap((counter) => {
        const folder = findCounter(folders, layout, counter);
        return folder === undefined ? [] : [{ folder, counter }];
      });
    const hits: LimitHit[] = [];
    for (const { folder, counter } of found) {
      const hit = await counter.read(folder);
      if (hit !== undefined) hits.push({ limit: counter.limit, ...hit });
    }
    return hits;
  };
}

/** The folder in which something is counted; a group of version 1 and 2 has it in one of them. */
function findCounter(
  folders: readonly string[],
  layout: Layout,
  { file: name }: Counter,
): string | undefined {
  const known = folders[layout.get(name)?.index ?? Number.NaN];
  if (known !== undefined && existsSync(join(known, name))) return known;
  const index = folders.findIndex((folder) => existsSync(join(folder, name)));
  if (index >= 0) layout.set(name, { index, name });
  return folders[index];
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
