import type { Arguments } from "./arguments.ts";
import type { Result } from "./simulation.ts";
import { GROUPS, type Tally } from "./tally.ts";

/** How much of a trace is shown when a rule is broken. */
const TAIL_LINES = 60;

/** What all runs together came to. */
export interface Totals {
  readonly runCount: number;
  readonly entryCount: number;
  readonly tally: Tally;
  /** SHA-256 over the digests of all runs. */
  readonly digest: string;
}

/** Which fault was put in on purpose. */
type Faulty = Pick<Arguments, "fault">;

/** The command that repeats a run. */
export function repeatCommand({ seed, stepCount }: Result, { fault }: Faulty): string {
  const named = fault === null ? "" : ` --fault ${fault}`;
  return `npm run sim -- --seed ${seed} --steps ${stepCount}${named}`;
}

/** Says for people what is wrong, with the end of the trace and how to see it again. */
export function describeViolation(result: Result, so: Faulty): string {
  const [first] = result.violations;
  const found = result.violations.map(
    ({ rule, message, seq }) => `  ${rule} at entry ${seq}: ${message}`,
  );
  const tail = result.trace.slice(-TAIL_LINES);
  return [
    `seed ${result.seed}: ${first?.rule ?? "a rule"} is broken`,
    ...found,
    `the last ${tail.length} of ${result.trace.length} lines of the trace:`,
    ...tail.map((line) => `  ${line}`),
    `repeat: ${repeatCommand(result, so)}`,
    "",
  ].join("\n");
}

/** Says for people what happened in all worlds, counted. */
export function describeTotals({ runCount, entryCount, tally, digest }: Totals): string {
  const counts = tally.toJson();
  const lines = GROUPS.map((group) => {
    const named = Object.entries(counts[group]).map(([name, count]) => `${name} ${count}`);
    return `${group}: ${named.join(", ")}`;
  });
  const worlds = runCount === 1 ? "1 world" : `${runCount} worlds`;
  return [`${worlds}, ${entryCount} entries, no rule broken; ${digest}`, ...lines, ""].join("\n");
}
