import { parseArgs } from "node:util";
import { DELIBERATE_FAULTS, type DeliberateFault } from "./deliberate-fault.ts";

/** What the simulator is asked to do. */
export interface Arguments {
  /** The seed of the first world; the others follow it. */
  readonly seed: number;
  readonly stepCount: number;
  readonly runCount: number;
  readonly fault: DeliberateFault | null;
  readonly isTraced: boolean;
  readonly isJson: boolean;
}

/** What the arguments mean, or a sentence that says what is wrong with them. */
export type Parsed =
  | { readonly ok: true; readonly value: Arguments }
  | { readonly ok: false; readonly problem: string };

const SEED_MAX = 2 ** 32;
const STEPS_MAX = 1_000_000;

/** How to call the simulator. */
export const USAGE =
  "usage: npm run sim -- [--seed N] [--steps N] [--runs N] [--fault NAME] [--trace] [--json]\n" +
  `faults: ${DELIBERATE_FAULTS.join(", ")}\n`;

const OPTIONS = {
  seed: { type: "string", default: "1" },
  steps: { type: "string", default: "100" },
  runs: { type: "string", default: "1" },
  fault: { type: "string" },
  trace: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

/** Reads the command line of the simulator. */
export function parseArguments(args: readonly string[]): Parsed {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const value: Arguments = {
      seed: wholeNumber("--seed", values.seed, { min: 0, max: SEED_MAX }),
      stepCount: wholeNumber("--steps", values.steps, { min: 1, max: STEPS_MAX }),
      runCount: wholeNumber("--runs", values.runs, { min: 1, max: SEED_MAX }),
      fault: faultNamed(values.fault),
      isTraced: values.trace,
      isJson: values.json,
    };
    return { ok: true, value };
  } catch (error) {
    // What parseArgs throws is about the arguments, and so is what we throw.
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

function wholeNumber(
  name: string,
  text: string,
  bounds: { readonly min: number; readonly max: number },
): number {
  const value = Number(text);
  const { min, max } = bounds;
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}

function faultNamed(name: string | undefined): DeliberateFault | null {
  if (name === undefined) return null;
  const fault = DELIBERATE_FAULTS.find((one) => one === name);
  if (fault !== undefined) return fault;
  throw new RangeError(`--fault must be one of ${DELIBERATE_FAULTS.join(", ")}, got "${name}"`);
}
