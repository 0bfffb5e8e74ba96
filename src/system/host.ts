import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** The longest name an operator may give a host. */
const idCharsMax = 256;

/** Where a host's identity is read from; this host's own unless a test brings others. */
export interface HostSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machineIdFile: string;
  readonly hostname: string;
}

/**
 * Names this host: `STINT_HOST_ID`, else an id derived from the machine's, else the host's name.
 *
 * The machine id itself is confidential by its own manual (machine-id(5)), so a keyed hash of it
 * is shown instead. Hosts cloned from one image without a fresh machine id need `STINT_HOST_ID`.
 * Throws a RangeError when `STINT_HOST_ID` is blank or too long.
 */
export function hostId(sources: HostSources = hostSources()): string {
  const chosen = sources.env["STINT_HOST_ID"];
  if (chosen !== undefined) return checked(chosen.trim());
  const machineId = readMachineId(sources.machineIdFile);
  if (machineId === undefined) return `host-${sources.hostname}`;
  const digest = createHmac("sha256", "stint/v1/host").update(machineId).digest("hex");
  return `machine-${digest.slice(0, 32)}`;
}

function hostSources(): HostSources {
  return { env: process.env, machineIdFile: "/etc/machine-id", hostname: hostname() };
}

function checked(id: string): string {
  if (id.length >= 1 && id.length <= idCharsMax) return id;
  throw new RangeError(`STINT_HOST_ID must have 1 to ${idCharsMax} characters, got ${id.length}`);
}

function readMachineId(file: string): string | undefined {
  try {
    const text = readFileSync(file, "latin1").trim();
    // Images ship it empty or as "uninitialized" until their first boot.
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch {
    // Not Linux, or an image without it.
    return undefined;
  }
}
