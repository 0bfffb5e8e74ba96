/*
 * npm run bench [-- NAME…] [--json]: floor and measure in turn, medians, ratio, target.
 * A missed target is shown, not an error, unless --fail-on-miss says so: speed is a property of
 * the machine, too. A bench that could not run is an error always.
 */
import { parseArgs } from "node:util";
import { BENCHES } from "./benches.ts";
import { run, type Bench, type Course, type Result } from "./measure.ts";
import { Progress } from "./report/progress.ts";
import { describeMachine } from "./report/machine.ts";
import { table } from "./report/table.ts";
import { describeTarget } from "./report/verdict.ts";

const USAGE = `npm run bench [-- NAME…] [--json] [--list] [--rounds COUNT] [--fail-on-miss]

Measures Stint against floors taken in the same run and prints medians and ratios.

  NAME            measures only what contains it in its name
  --rounds COUNT  takes floor and measure so often, in turn (default: as --list says)
  --json          prints one object: the machine, and every figure taken
  --list          lists names, targets and rounds
  --fail-on-miss  exits with 1 when a target is missed

Exits with 1 when a bench could not run, with 2 when it was not understood, with 130 after Ctrl-C.`;

const OPTIONS = {
  json: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  rounds: { type: "string" },
  "fail-on-miss": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(): Promise<number> {
  const asked = readArguments();
  if (typeof asked === "string") return complain(asked);
  const { values, chosen, roundCount } = asked;
  if (values.help) return say(USAGE);
  if (values.list) return say(chosen.map(describe).join("\n"));
  const machine = describeMachine();
  const results = await runAll(chosen, roundCount);
  if (results === undefined) return 130;
  say(
    values.json
      ? JSON.stringify({ ok: true, data: { machine, results } })
      : table(results, machine),
  );
  const isMissed = results.some((one) => one.error === null && one.verdict === "missed");
  const isFailed = results.some(({ error }) => error !== null);
  return isFailed || (isMissed && values["fail-on-miss"]) ? 1 : 0;
}

function readArguments() {
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    // An unknown option, or one without its value.
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  const chosen = BENCHES.filter(
    ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  if (chosen.length === 0) return `no bench has ${positionals.join(" or ")} in its name`;
  const roundCount = values.rounds === undefined ? undefined : Number(values.rounds);
  if (roundCount !== undefined && !(Number.isSafeInteger(roundCount) && roundCount > 0))
    return `--rounds must be a whole number from 1, got ${values.rounds}`;
  return { values, chosen, roundCount };
}

/** Runs benches one after another; undefined when Ctrl-C has ended that, all cleared up. */
async function runAll(
  chosen: readonly Bench[],
  roundCount: number | undefined,
): Promise<readonly Result[] | undefined> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // The trial under way comes to its end, and whatever it has begun is given back.
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, interrupt);
  const progress = new Progress(process.stderr);
  const results: Result[] = [];
  try {
    for (const [index, bench] of chosen.entries()) {
      progress.begin(`${index + 1}/${chosen.length} ${bench.name}`);
      const course: Course = { signal: interrupted.signal, tell: (how) => progress.tell(how) };
      results.push(await run(bench, course, roundCount));
    }
    return results;
  } catch (error) {
    if (interrupted.signal.aborted) return undefined;
    throw error;
  } finally {
    progress.end();
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, interrupt);
  }
}

function describe({ name, target, rounds }: Bench): string {
  return `${name.padEnd(44)} ${describeTarget(target).padEnd(12)} ${rounds} rounds`;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n\n${USAGE}\n`);
  return 2;
}

process.exitCode = await main();
