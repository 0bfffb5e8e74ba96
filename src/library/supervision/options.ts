import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import type { WorkerOptions } from "../worker/request.ts";

/** How many workers there are to be, and on which lanes. */
export interface SupervisionOptions {
  /** How many workers are to be alive on these lanes. */
  readonly target: number;
  /** Lanes by name or alias, those to be filled first first; default: all that are enacted. */
  readonly lanes?: readonly string[];
  /** Whether stalled workers are stopped; default true. Else they are flagged. */
  readonly reap?: boolean;
  /** Whether those that spin count as alive; default true. */
  readonly countSpinning?: boolean;
  /** For how long a halt that was proposed is not proposed again, ms; default 30 minutes. */
  readonly windowMs?: number;
}

/** How a plan is carried out. */
export interface ApplyOptions {
  /**
   * What to start for a lane. It is to hold the lane's lease before it works there, as `stint lease
   * with` has it, and to end when it is refused that. Without it nothing is started.
   */
  readonly startFor?: (lane: string) => WorkerOptions & { readonly reason?: string };
  /** Called with each action when it was carried out, or why it was not. */
  readonly onDone?: (done: DoneView) => void;
  /** Ends it between two actions. */
  readonly signal?: AbortSignal;
}

/** What became of an action of a plan. */
export interface DoneView {
  readonly kind: "reap" | "propose_halt" | "start";
  /** The worker or the party that it is about; of a start the worker, null where there is none. */
  readonly holder: string | null;
  /** A worker's label; null for an outside party, and where there is no worker. */
  readonly name: string | null;
  readonly lane: string | null;
  /** `skipped`: what the plan had seen has changed, or the rules said no. */
  readonly outcome: "done" | "skipped";
  /** What was done, or why it was not. */
  readonly because: string;
}

/** The options of a plan, checked. */
export type ParsedSupervision = Required<Omit<SupervisionOptions, "lanes">> &
  Pick<SupervisionOptions, "lanes">;

/** How many workers may be aimed at: as many as a contract may allow. */
const targetMax = 100_000;

/** For how long a proposal stands, ms, when nothing else is said. */
export const WINDOW_MS_DEFAULT = 1_800_000;
const windowMsMax = 86_400_000;

/** Checks the options of a plan. Throws an InputError. */
export function parseSupervision(options: SupervisionOptions): ParsedSupervision {
  const known = ["target", "lanes", "reap", "countSpinning", "windowMs"];
  demandOptions(options, known, "an object with a target");
  const { target, lanes, reap = true, countSpinning = true } = options;
  const windowMs = parseWindow(options.windowMs);
  if (!Number.isInteger(target) || target < 0 || target > targetMax)
    throw wrong("target", `an integer from 0 to ${targetMax}`, target);
  for (const [name, value] of Object.entries({ reap, countSpinning }))
    if (typeof value !== "boolean") throw wrong(name, "true or false", value);
  const isNames = lanes === undefined || (Array.isArray(lanes) && lanes.every(isText));
  if (!isNames) throw wrong("lanes", "an array of names of lanes", lanes);
  return { target, reap, countSpinning, windowMs, ...(lanes === undefined ? {} : { lanes }) };
}

/** Checks for how long a proposal stands, ms. Throws an InputError. */
export function parseWindow(windowMs: number = WINDOW_MS_DEFAULT): number {
  if (Number.isInteger(windowMs) && windowMs >= 1_000 && windowMs <= windowMsMax) return windowMs;
  throw wrong("windowMs", `an integer from 1000 to ${windowMsMax}`, windowMs);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function wrong(name: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path: `options.${name}`, expected, got: describeValue(got) }]);
}
