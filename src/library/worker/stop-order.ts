import { LIMITS } from "../../kernel/limits.ts";
import type { StopReason } from "../../kernel/worker/evidence.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import { STOP_GRACE_MS } from "../process/sandboxes.ts";

/** How a stop is carried out. */
export interface StopOptions {
  /** Also the worker's live descendants; default true. */
  readonly tree?: boolean;
  /** A text for the record. */
  readonly reason?: string;
  /** How long tasks and processes are given to end by themselves, ms; default 2 000. */
  readonly graceMs?: number;
}

/** A stop order, checked. */
export interface StopOrder {
  readonly tree: boolean;
  readonly reason: StopReason;
  readonly detail?: string;
  readonly graceMs: number;
}

/** Checks the options of a stop. Throws an InputError. */
export function parseStop(options: StopOptions = {}): StopOrder {
  demandOptions(options, ["tree", "reason", "graceMs"]);
  const { tree = true, reason, graceMs = STOP_GRACE_MS } = options;
  const { stopGraceMsMax } = LIMITS;
  if (!Number.isInteger(graceMs) || graceMs < 0 || graceMs > stopGraceMsMax) {
    const expected = `an integer from 0 to ${stopGraceMsMax}`;
    throw new InputError("usage", [{ path: "graceMs", expected, got: describeValue(graceMs) }]);
  }
  if (typeof tree !== "boolean")
    throw new InputError("usage", [
      { path: "tree", expected: "true or false", got: describeValue(tree) },
    ]);
  const detail = reason === undefined ? {} : { detail: parseEndReason(reason).detail ?? reason };
  return { tree, reason: "requested", ...detail, graceMs };
}

/** Reasons that a worker may give for its own end; any other text is a detail. */
const OWN_REASONS: readonly string[] = ["completed", "failed", "requested"];

/** Checks what was given as the reason of an end. Throws an InputError. */
export function parseEndReason(why: unknown): {
  readonly reason: StopReason;
  readonly detail?: string;
} {
  if (typeof why !== "string") {
    const expected = "a text";
    throw new InputError("usage", [{ path: "reason", expected, got: describeValue(why) }]);
  }
  if (OWN_REASONS.includes(why)) return { reason: why as StopReason };
  return why === "" ? { reason: "requested" } : { reason: "requested", detail: cut(why) };
}

/** A text cut to what an entry takes as a detail. */
function cut(text: string): string {
  return text.slice(0, Math.floor(LIMITS.noteBytesMax / 3)).toWellFormed();
}
