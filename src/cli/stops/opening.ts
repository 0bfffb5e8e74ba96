import { LIMITS } from "../../kernel/limits.ts";
import type { Fleet } from "../../library/fleet/fleet.ts";
import { settledWithin } from "../../library/waiting.ts";
import { Fault } from "../../ports/fault.ts";
import { SYSTEM_TIMERS } from "../../runtime/timers.ts";
import type { Call } from "../call.ts";

/** A fleet that could be opened, or the sentence that says why it could not. */
export type Opened =
  | { readonly kind: "open"; readonly fleet: Fleet }
  | { readonly kind: "shut"; readonly why: string };

/**
 * Opens the fleet for somebody who cannot wait for it: a journal that is locked, broken, missing
 * or on a full disk is answered in words. What is not the world's fault is thrown on.
 */
export async function openOrSayWhy(call: Call): Promise<Opened> {
  const within = LIMITS.killAppendMs;
  const opened = await settledWithin(call.openFleet({ steward: false }), within, SYSTEM_TIMERS);
  if (opened.kind === "done") return { kind: "open", fleet: opened.value };
  if (opened.kind === "late")
    return { kind: "shut", why: `it could not be opened within ${within} ms` };
  if (opened.error instanceof Fault)
    return { kind: "shut", why: `${opened.error.code}: ${opened.error.message}` };
  throw opened.error;
}
