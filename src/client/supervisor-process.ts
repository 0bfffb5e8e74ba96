import { readFileSync } from "node:fs";
import { readBootId } from "../system/boot.ts";
import { statePlaces } from "../system/places.ts";
import { readProcess, type ProcessIdentity } from "../system/process.ts";

/**
 * The process of a fleet's supervisor that has this pid, as its document names it. Undefined where
 * this process does not see it: it is gone, or its pid is that of another namespace.
 */
export function supervisorProcess(stateDir: string, pid: number): ProcessIdentity | undefined {
  const found = readProcess(pid);
  if (found === undefined) return undefined;
  return startedOf(stateDir) === `${readBootId()}/${found.startTicks}` ? found : undefined;
}

function startedOf(stateDir: string): unknown {
  try {
    const about: unknown = JSON.parse(readFileSync(statePlaces(stateDir).about, "utf8"));
    return typeof about === "object" && about !== null && "started" in about && about.started;
  } catch {
    // It has left, or could not write it.
    return undefined;
  }
}
