import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import { HIT_LIMITS, type LimitHit } from "../../kernel/worker/limit.ts";
import { isObject, readDocument } from "./document.ts";

/** Names of what the driver itself keeps in a sandbox's folder. */
export const OWN_FILES = {
  record: "record.json",
  /** Lies there as long as the sandbox may still be started; stopping removes it first. */
  permit: "permit",
  /** What was the permit. */
  withdrawn: "withdrawn",
  output: "output.log",
  exit: "exit.json",
  /** Lies there while the sandbox's control group is frozen, as far as Stint knows. */
  frozen: "frozen",
  ended: "ended.json",
  /** How many processes there were when the first who ended it looked. */
  count: "count",
  /** Written by a launcher that could not become the program. */
  unlaunched: "unlaunched",
} as const;

/** `exit.json`, or `exit` in `ended.json`: how the first process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How the first process ended, as far as its parent, or who ended it, has written it down. */
export async function readExit(folder: string): Promise<Exit | undefined> {
  const own = exitIn(await readDocument(join(folder, OWN_FILES.exit)));
  if (own !== undefined) return own;
  const ended = await readDocument(join(folder, OWN_FILES.ended));
  return isObject(ended) ? exitIn(ended["exit"]) : undefined;
}

function exitIn(value: unknown): Exit | undefined {
  if (!isObject(value)) return undefined;
  const { code, signal } = value;
  const isCode = code === null || Number.isInteger(code);
  const isSignal = signal === null || typeof signal === "string";
  return isCode && isSignal ? { code: code as number | null, signal } : undefined;
}

/**
 * Notes how many processes are about to be killed: several may end one sandbox at once, and whoever
 * comes second sees none. The first note stays. Never throws: without it the end is no less true.
 */
export function noteCount(folder: string, count: number): void {
  // Nobody is told less by its absence.
  if (count === 0) return;
  try {
    writeFileSync(join(folder, OWN_FILES.count), String(count), { flag: "wx", mode: 0o600 });
  } catch {
    // Another was first, the folder is gone already, or the disk is full.
  }
}

/** How many processes were there before anybody killed them, as far as that was noted; else 0. */
export function readCount(folder: string): number {
  try {
    return Number.parseInt(readFileSync(join(folder, OWN_FILES.count), "utf8"), 10) || 0;
  } catch {
    return 0;
  }
}

/** What was written down of a sandbox's end, by the first stop or by its time running out. */
export async function readEnded(folder: string): Promise<Partial<Outcome>> {
  const value = await readDocument(join(folder, OWN_FILES.ended));
  if (!isObject(value)) return {};
  const known = Object.entries(ENDED_FIELDS).flatMap(([name, type]) => {
    const field = value[name];
    return typeof field === type ? [[name, field] as const] : [];
  });
  return Object.fromEntries(known);
}

/** What was written down of the limits that a sandbox had hit, at its end; else none. */
export async function readHits(folder: string): Promise<readonly LimitHit[]> {
  const value = await readDocument(join(folder, OWN_FILES.ended));
  const hits: unknown = isObject(value) ? value["limits_hit"] : undefined;
  return Array.isArray(hits) ? hits.filter(isHit) : [];
}

function isHit(value: unknown): value is LimitHit {
  if (!isObject(value)) return false;
  if (!["value", "use", "count"].every((name) => Number.isSafeInteger(value[name]))) return false;
  return HIT_LIMITS.some((limit) => limit === value["limit"]);
}

/** What of an outcome is remembered; how the first process exited is told by `exit.json`. */
const ENDED_FIELDS = {
  killed_by: "string",
  timed_out: "boolean",
  oom_killed: "boolean",
  peak_memory_bytes: "number",
  cpu_ms: "number",
} as const;
