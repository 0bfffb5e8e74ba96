import { readFileSync } from "node:fs";
import type { Blueprint } from "./blueprint.ts";

/** The user of this process as a container's: what it makes on the host is then this user's. */
export function asThisUser(): Pick<Blueprint, "user" | "userProcessesMax"> {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return { user, userProcessesMax: ownProcessesMax() };
}

/**
 * The most processes that a container asks to have for its user, on the whole host: the kernel
 * counts them by user. Podman's service has 32 768 itself, and asks for more than it may give where
 * nobody says how many.
 */
const processesMax = 16_384;

function ownProcessesMax(): number {
  try {
    const text = readFileSync("/proc/self/limits", "utf8");
    const hard = /^Max processes\s+\S+\s+(\d+)/m.exec(text)?.[1];
    return hard === undefined ? processesMax : Math.min(processesMax, Number(hard));
  } catch {
    // No Linux: its engine runs on one all the same.
    return processesMax;
  }
}
