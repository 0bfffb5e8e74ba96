import { join } from "node:path";
import { isObject, readDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";

/** `record.json` of a worker that is a container: the claim to an instance on this host. */
export interface ContainerRecord {
  readonly version: 1;
  readonly driver: "container";
  readonly instance: string;
  readonly fleet: string;
  readonly host: string;
  readonly boot_id: string;
  readonly claimed_by: { readonly pid: number; readonly start_ticks: number };
  /** The program and its arguments; empty when the claim was laid by a stop. */
  readonly run: readonly string[];
  /** The engine's socket, by which others reach it. */
  readonly socket: string;
  /** The container's id; null until the engine has made it. */
  readonly container: string | null;
}

/** The record in a sandbox's folder; undefined when it is missing or not of this form. */
export async function readRecord(folder: string): Promise<ContainerRecord | undefined> {
  const value = await readDocument(join(folder, OWN_FILES.record));
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is ContainerRecord {
  if (!isObject(value) || value["version"] !== 1 || value["driver"] !== "container") return false;
  const texts = ["instance", "fleet", "host", "boot_id", "socket"];
  if (!texts.every((name) => typeof value[name] === "string")) return false;
  const { claimed_by: claimedBy, container, run } = value;
  if (container !== null && typeof container !== "string") return false;
  if (!Array.isArray(run) || !isObject(claimedBy)) return false;
  return Number.isSafeInteger(claimedBy["pid"]) && Number.isSafeInteger(claimedBy["start_ticks"]);
}
