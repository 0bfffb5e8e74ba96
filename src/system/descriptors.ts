import { closeSync, readdirSync, readFileSync } from "node:fs";
import { codeOf } from "../ports/error-code.ts";

/** The flag of a descriptor that no program which is started has (open(2)), in /proc's octal. */
const closeOnExec = 0o2_000_000;

/**
 * Closes what this process was given by whoever started it besides its three streams, and what it
 * starts would be given too: a file that somebody has open for writing is written to through it,
 * whatever the file system says. To be called before anything is opened here; what Node itself and
 * this process open is never handed on. Does nothing where there is no /proc.
 */
export function closeInherited(): void {
  for (const descriptor of listDescriptors()) {
    if (descriptor > 2 && isHandedOn(descriptor)) closeSync(descriptor);
  }
}

function listDescriptors(): readonly number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function isHandedOn(descriptor: number): boolean {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1");
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(text)?.[1] ?? "0", 8);
    return (flags & closeOnExec) === 0;
  } catch (error) {
    // It was that of the listing, closed since.
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}
