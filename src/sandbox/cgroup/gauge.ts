import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CgroupUse } from "./cgroup.ts";
import { isAbsent } from "./control-file.ts";
import { seek, type Layout } from "./layout.ts";

/** Something of a group that the kernel counts. */
type Field = keyof CgroupUse;

type Read = (text: string) => number;

const usPerMs = 1_000;
const nsPerMs = 1_000_000;

/** The files that may have each of them, best first, and how they are read. */
const SOURCES: Readonly<Record<Field, Readonly<Record<string, Read>>>> = {
  memory_bytes: { "memory.current": Number, "memory.usage_in_bytes": Number },
  peak_memory_bytes: { "memory.peak": Number, "memory.max_usage_in_bytes": Number },
  oom_kill_count: { "memory.events": readOomKills, "memory.oom_control": readOomKills },
  processes: { "pids.current": Number },
  cpu_ms: {
    "cpu.stat": (text) => Math.trunc(lineOf(text, "usage_usec") / usPerMs),
    "cpuacct.usage": (text) => Math.trunc(Number(text) / nsPerMs),
  },
};

/** What changes from one moment to the next. */
export const MOMENTARY = ["memory_bytes", "processes", "cpu_ms"] as const satisfies Field[];

/** What stays when nothing runs any more. */
export const LASTING = ["peak_memory_bytes", "oom_kill_count", "cpu_ms"] as const satisfies Field[];

/** A file that has answered, and goes on to as long as there is the group. */
interface Gauge {
  readonly file: string;
  readonly read: Read;
}

/** What it has answered. */
interface Reading {
  readonly gauge: Gauge;
  readonly value: number;
}

/**
 * Makes what measures a group, over and over. Which files answer is found once: a sample of a
 * hundred groups a second is to cost three reads each, not a search of every hierarchy. A field
 * that nothing measures is absent, and so are all of a group that does not exist (any more).
 */
export function gaugeOf(
  folders: readonly string[],
  layout: Layout,
): (fields: readonly Field[]) => CgroupUse {
  const gauges = new Map<Field, Gauge>();
  return (fields) => {
    const measured: { -readonly [K in Field]?: number } = {};
    for (const field of fields) {
      const known = gauges.get(field);
      const reading = (known && take(known)) ?? search({ folders, layout, field });
      if (reading === undefined) continue;
      gauges.set(field, reading.gauge);
      measured[field] = reading.value;
    }
    return measured;
  };
}

function search(so: {
  readonly folders: readonly string[];
  readonly layout: Layout;
  readonly field: Field;
}): Reading | undefined {
  const { folders, layout, field } = so;
  const sources = SOURCES[field];
  const sought = { what: field, folders, names: Object.keys(sources) };
  return seek(layout, sought, ({ index, name }) => {
    const [folder, read] = [folders[index], sources[name]];
    if (folder === undefined || read === undefined) return undefined;
    const file = join(folder, name);
    // Most are another version's: to look costs a tenth of an error.
    return existsSync(file) ? take({ file, read }) : undefined;
  });
}

function take(gauge: Gauge): Reading | undefined {
  try {
    const value = gauge.read(readFileSync(gauge.file, "utf8"));
    return Number.isSafeInteger(value) ? { gauge, value } : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function readOomKills(text: string): number {
  return lineOf(text, "oom_kill");
}

/** The number behind a name, in lines "name number"; NaN where there is no such line. */
function lineOf(text: string, name: string): number {
  const [, number] = new RegExp(`^${name} (\\d+)$`, "m").exec(text) ?? [];
  return Number(number);
}
