import { Fault, type FaultCode } from "../../ports/fault.ts";
import { InputError } from "../../protocol/input.ts";

/**
 * How a check came out: `ok`, `weaker` when Stint works without it but holds less, `failed` when it
 * does not work, `skipped` when there was nothing to look at.
 */
export type CheckStatus = "ok" | "weaker" | "failed" | "skipped";

/** One thing that was looked at, in wire form. */
export interface Check {
  /** What, in one or two words. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  /** The code that a command would fail with; only when it failed. */
  readonly code?: FaultCode;
  /** What it costs to be without. */
  readonly costs?: string;
  /** How to get it. */
  readonly remedy?: string;
}

/** A check that came out well. */
export function good(name: string, detail: string): Check {
  return { name, status: "ok", detail };
}

/** A check that there was nothing to look at for. */
export function skipped(name: string, detail: string): Check {
  return { name, status: "skipped", detail };
}

/** Looks at something; what it throws is what is wrong with it. */
export async function attempt(
  name: string,
  look: () => Promise<Check> | Check,
  remedies: Readonly<Partial<Record<FaultCode, string>>> = {},
): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof Fault || error instanceof InputError)) throw error;
    if (error instanceof InputError) return { name, status: "failed", detail: error.message };
    const { code, message } = error;
    const remedy = remedies[code];
    const helped = remedy === undefined ? {} : { remedy };
    return { name, status: "failed", code, detail: message, ...helped };
  }
}
