import { readdir, rm, stat } from "node:fs/promises";
import { LIMITS } from "../kernel/limits.ts";
import { asStorageFault } from "../system/storage-fault.ts";
import { codeOf } from "../ports/error-code.ts";
import { outputFiles } from "./frame.ts";

/** What is kept of the outputs of a fleet. */
export interface RetentionOptions {
  /** Whether an instance may still write: its output is kept whatever it takes. */
  readonly isLive: (instance: string) => boolean;
  /** The most that all outputs hold together; default `LIMITS.outputsBytesMax`. */
  readonly bytesMax?: number;
}

interface Output {
  readonly instance: string;
  sizeBytes: number;
  writtenAtMs: number;
}

/**
 * Drops whole outputs, those first that were written to longest ago, until what is left fits.
 * Answers the instances whose output is gone. Throws `Fault` `storage_failed`.
 */
export async function dropOldOutputs(
  folder: string,
  { isLive, bytesMax = LIMITS.outputsBytesMax }: RetentionOptions,
): Promise<readonly string[]> {
  try {
    const outputs = await listOutputs(folder);
    let totalBytes = outputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const dropped: string[] = [];
    for (const { instance, sizeBytes } of outputs) {
      if (totalBytes <= bytesMax) break;
      if (isLive(instance)) continue;
      const { current, older } = outputFiles(folder, instance);
      // The older file first: what a crash leaves in between is the end of an output, not a hole.
      await rm(older, { force: true });
      await rm(current, { force: true });
      totalBytes -= sizeBytes;
      dropped.push(instance);
    }
    return dropped;
  } catch (error) {
    throw asStorageFault(error, "dropping old outputs");
  }
}

/** The outputs in a folder, the one first that was written to longest ago. */
async function listOutputs(folder: string): Promise<Output[]> {
  const found = new Map<string, Output>();
  for (const name of await listNames(folder)) {
    const instance = /^([\w-]+)(?:\.1)?\.jsonl$/.exec(name)?.[1];
    if (instance === undefined) continue;
    const status = await stat(`${folder}/${name}`).catch(ignoreAbsent);
    // It was renamed since, by the writer of that output.
    if (status === undefined) continue;
    const { size, mtimeMs } = status;
    const output = found.get(instance) ?? { instance, sizeBytes: 0, writtenAtMs: 0 };
    output.sizeBytes += size;
    output.writtenAtMs = Math.max(output.writtenAtMs, mtimeMs);
    found.set(instance, output);
  }
  return [...found.values()].toSorted((one, other) => one.writtenAtMs - other.writtenAtMs);
}

async function listNames(folder: string): Promise<string[]> {
  // Without a folder no worker of this fleet has written anything yet.
  return (await readdir(folder).catch(ignoreAbsent)) ?? [];
}

function ignoreAbsent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}
