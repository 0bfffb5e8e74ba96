import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxUse } from "../../ports/sandbox.ts";
import { isAbsent } from "./control-file.ts";

/** One thing that is measured: the files that may have it, best first, and how to read them. */
interface Source {
  readonly field: keyof SandboxUse;
  readonly files: readonly { readonly name: string; readonly read: (text: string) => number }[];
}

const usPerMs = 1_000;
const nsPerMs = 1_000_000;

const SOURCES: readonly Source[] = [
  {
    field: "memory_bytes",
    files: [
      { name: "memory.current", read: Number },
      { name: "memory.usage_in_bytes", read: Number },
    ],
  },
  { field: "processes", files: [{ name: "pids.current", read: Number }] },
  {
    field: "cpu_ms",
    files: [
      { name: "cpu.stat", read: (text) => Math.trunc(lineOf(text, "usage_usec") / usPerMs) },
      { name: "cpuacct.usage", read: (text) => Math.trunc(Number(text) / nsPerMs) },
    ],
  },
];

/** A file that has answered, and goes on to as long as there is the group. */
interface Gauge {
  readonly field: keyof SandboxUse;
  readonly file: string;
  readonly read: (text: string) => number;
}

/**
 * Makes what measures a group over and over. Which files answer is found once: a sample of a
 * hundred groups a second is to cost three reads each, not a search of every hierarchy. All fields
 * are absent when the group does not exist (any more).
 */
export function gaugeOf(folders: readonly string[]): () => SandboxUse {
  let gauges: readonly Gauge[] | undefined;
  return () => {
    gauges ??= SOURCES.flatMap((source) => find(folders, source));
    const measured: { -readonly [K in keyof SandboxUse]: SandboxUse[K] } = {};
    for (const { field, file, read } of gauges) {
      const value = take(file, read);
      if (value !== undefined) measured[field] = value;
    }
    if (Object.keys(measured).length === 0) gauges = undefined;
    return measured;
  };
}

function find(folders: readonly string[], { field, files }: Source): readonly Gauge[] {
  for (const folder of folders)
    for (const { name, read } of files) {
      const file = join(folder, name);
      if (existsSync(file) && take(file, read) !== undefined) return [{ field, file, read }];
    }
  return [];
}

function take(file: string, read: (text: string) => number): number | undefined {
  try {
    const value = read(readFileSync(file, "utf8"));
    return Number.isSafeInteger(value) ? value : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The number behind a name, in lines "name number"; NaN where there is no such line. */
function lineOf(text: string, name: string): number {
  const [, number] = new RegExp(`^${name} (\\d+)$`, "m").exec(text) ?? [];
  return Number(number);
}
