import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import { makeFolders } from "../../system/folders.ts";
import { Claim } from "./claim.ts";

/** What a host claim is about. */
export interface HostClaimOptions {
  /** Where this user's supervisors claim their fleets, by id. */
  readonly folder: string;
  readonly fleet: string;
  /** The state folder that is to be supervised. */
  readonly stateDir: string;
  /** Told where the folder cannot be used: then nothing outside tells copies apart. */
  readonly warn: (message: string, error: unknown) => void;
}

/**
 * Claims a fleet for one of its state folders on this host: a copy bears the same id, and records
 * of the same workers, which its supervisor would end as if theirs was lost.
 *
 * Undefined where this user has no folder for it. Throws `Fault` `supervisor_unreachable`,
 * retryable, while another folder of the fleet is supervised.
 */
export function claimOnHost(so: HostClaimOptions): Claim | undefined {
  const { folder, fleet, stateDir } = so;
  const note = join(folder, `${fleet}.json`);
  let claim: Claim | undefined;
  try {
    makeFolders(folder, { mode: 0o700 });
    claim = Claim.take(join(folder, `${fleet}.db`));
    if (claim !== undefined) writeFileSync(note, JSON.stringify({ pid: process.pid, stateDir }));
  } catch (error) {
    so.warn("copies of this fleet are not told from it", error);
    return claim;
  }
  if (claim !== undefined) return claim;
  const message =
    `${stateDir} must be the only folder of its fleet that is supervised on this host, ` +
    whoHas(note);
  throw new Fault("supervisor_unreachable", message, { retryable: true });
}

function whoHas(note: string): string {
  try {
    const { pid, stateDir } = JSON.parse(readFileSync(note, "utf8")) as Record<string, unknown>;
    return `process ${String(pid)} supervises ${String(stateDir)}`;
  } catch {
    // It has just claimed it, and not yet said so.
    return "another one is";
  }
}
