import type { Random } from "../../ports/random.ts";
import { base32 } from "../../runtime/base32.ts";

/** What ids of canaries begin with, and no worker's does. */
const PREFIX = "canary-";

const idBytes = 10;

/**
 * How long a canary lives if nobody ends it, ms. A check that takes longer has failed; who finds
 * one that is older ends it.
 */
export const CANARY_LIFE_MS = 60_000;

/** A fresh id for a canary: a sandbox that is no worker's, started to be killed. */
export function freshCanaryId(random: Random): string {
  return `${PREFIX}${base32(random.bytes(idBytes))}`;
}

/** Whether a sandbox is a canary's, by its id. */
export function isCanary(instance: string): boolean {
  return instance.startsWith(PREFIX);
}
