import { join } from "node:path";
import { isObject, readDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";

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

/** The record in a sandbox's folder; undefined when it is missing or not of this form. */
export async function readRecord(folder: string): Promise<ProcessRecord | undefined> {
  const value = await readDocument(join(folder, OWN_FILES.record));
  return isRecord(value) ? value : undefined;
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
