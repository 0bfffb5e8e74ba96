import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Outcome } from "../../kernel/worker/evidence.ts";

/** Names of what the driver itself keeps in a sandbox's folder. */
export const OWN_FILES = {
  record: "record.json",
  /** Lies there as long as the sandbox may still be started; stopping removes it first. */
  permit: "permit",
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

/** The process that a sandbox began with: leader of a group and a session of its own. */
export interface FirstProcess {
  readonly pid: number;
  readonly start_ticks: number;
  readonly group: number;
  readonly session: number;
}

/** What a sandbox on an upper rung is enclosed by, and found again by. */
export interface EnclosureRecord {
  readonly rung: "cgroup" | "pid-namespace";
  /** Whether all of it is in the control group that bears its instance's name. */
  readonly has_cgroup: boolean;
  /** The keeper, process 1 of its pid namespace, by its pid outside; null until it stands ready. */
  readonly init: { readonly pid: number; readonly start_ticks: number } | null;
  /** That namespace, as the link of a process in it reads; null where that cannot be read. */
  readonly namespace: string | null;
}

/** `record.json`: the claim to an instance, and what was started under it. */
export interface ProcessRecord {
  readonly version: 1;
  readonly instance: string;
  readonly fleet: string;
  readonly host: string;
  readonly boot_id: string;
  /** Pids mean something only within it. */
  readonly pid_namespace: string;
  readonly claimed_by: { readonly pid: number; readonly start_ticks: number };
  /** The program and its arguments; empty when the claim was laid by a stop, so nothing starts. */
  readonly run: readonly string[];
  /** Null until a process waits to become the program. */
  readonly process: FirstProcess | null;
  /** Absent on the lowest rung. */
  readonly enclosure?: EnclosureRecord;
}

/** `exit.json`: how the first process ended, written by its parent. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Writes a document so that it is whole or not there, and on disk, when this resolves.
 * An older one by that name is replaced.
 */
export async function writeDocument(folder: string, name: string, value: object): Promise<void> {
  await replaceDocument({ folder, name, value, isSynced: true });
  await syncFolder(folder);
}

/**
 * Writes a document as {@link writeDocument} does, but only so that it outlives this process, not
 * its host: enough for what names processes, of which a host's end leaves none, and for how they
 * ended, which the journal is told next.
 */
export async function noteDocument(folder: string, name: string, value: object): Promise<void> {
  await replaceDocument({ folder, name, value, isSynced: false });
}

async function replaceDocument(document: {
  readonly folder: string;
  readonly name: string;
  readonly value: object;
  readonly isSynced: boolean;
}): Promise<void> {
  const { folder, name, value, isSynced } = document;
  const draft = join(folder, `.${name}.${randomBytes(8).toString("hex")}`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    if (isSynced) await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, name));
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The record in a sandbox's folder; undefined when it is missing or not of this form. */
export async function readRecord(folder: string): Promise<ProcessRecord | undefined> {
  const value = await readDocument(join(folder, OWN_FILES.record));
  return isRecord(value) ? value : undefined;
}

/** How the first process ended, as far as its parent has written it down. */
export async function readExit(folder: string): Promise<Exit | undefined> {
  const value = await readDocument(join(folder, OWN_FILES.exit));
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

/** What of an outcome is remembered; how the first process exited is told by `exit.json`. */
const ENDED_FIELDS = {
  killed_by: "string",
  timed_out: "boolean",
  oom_killed: "boolean",
  peak_memory_bytes: "number",
  cpu_ms: "number",
} as const;

/** The folder that a sandbox's folder lies in. */
export function folderAbove(folder: string): string {
  return dirname(folder);
}

async function readDocument(file: string): Promise<unknown> {
  // At once, as what is read of control files: they are small, and were written a moment ago.
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Not written yet, or damaged: either way it says nothing.
    return undefined;
  }
}

function isRecord(value: unknown): value is ProcessRecord {
  if (!isObject(value) || value["version"] !== 1) return false;
  const texts = ["instance", "fleet", "host", "boot_id", "pid_namespace"];
  if (!texts.every((name) => typeof value[name] === "string")) return false;
  const { claimed_by: claimedBy, process: first, run } = value;
  if (!Array.isArray(run) || !areNumbers(claimedBy, ["pid", "start_ticks"])) return false;
  if (first !== null && !areNumbers(first, ["pid", "start_ticks", "group", "session"]))
    return false;
  return value["enclosure"] === undefined || isEnclosure(value["enclosure"]);
}

function isEnclosure(value: unknown): boolean {
  if (!isObject(value) || typeof value["has_cgroup"] !== "boolean") return false;
  const { rung, init, namespace } = value;
  if (rung !== "cgroup" && rung !== "pid-namespace") return false;
  if (init !== null && !areNumbers(init, ["pid", "start_ticks"])) return false;
  return namespace === null || typeof namespace === "string";
}

function areNumbers(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => Number.isSafeInteger(value[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
