// `npm run sim -- --seed N --steps N`: whole fleets under seeded misfortune, every entry checked.
// Exit code 0: no rule broken; 1: one is; 2: the arguments are wrong.
import { createHash } from "node:crypto";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { describeTotals, describeViolation, repeatCommand, type Totals } from "./report.ts";
import { simulate, type Result } from "./simulation.ts";
import { Tally } from "./tally.ts";

const EXIT = { clean: 0, violation: 1, usage: 2 } as const;
const PROGRESS_EVERY_MS = 2_000;

async function run(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args);
  if (!parsed.ok) {
    process.stderr.write(`${parsed.problem}\n${USAGE}`);
    return EXIT.usage;
  }
  const so = parsed.value;
  const tally = new Tally();
  const digest = createHash("sha256");
  const progress = progressTeller(so.runCount);
  let entryCount = 0;
  for (let index = 0; index < so.runCount; index += 1) {
    const result = await simulate({ ...so, seed: so.seed + index });
    if (so.isTraced && !so.isJson) process.stdout.write(`${result.trace.join("\n")}\n`);
    if (result.violations.length > 0) {
      tellViolation(result, so);
      return EXIT.violation;
    }
    tally.add(result.tally);
    entryCount += result.entryCount;
    digest.update(result.digest);
    if (so.isJson && so.isTraced) process.stderr.write(`${result.trace.join("\n")}\n`);
    progress(index + 1);
  }
  tellTotals({ runCount: so.runCount, entryCount, tally, digest: digest.digest("hex") }, so);
  return EXIT.clean;
}

function tellViolation(result: Result, so: Arguments): void {
  if (!so.isJson) {
    process.stdout.write(describeViolation(result, so));
    return;
  }
  const { seed, stepCount, violations, trace, digest } = result;
  const repeat = repeatCommand(result, so);
  const message = `a rule is broken: ${violations[0]?.rule}; repeat: ${repeat}`;
  const details = { seed, step_count: stepCount, violations, digest, repeat, trace };
  const answer = { ok: false, error: { code: "bug", message, details } };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function tellTotals(totals: Totals, so: Arguments): void {
  if (!so.isJson) {
    process.stdout.write(describeTotals(totals));
    return;
  }
  const { runCount, entryCount, tally, digest } = totals;
  const data = {
    seed: so.seed,
    step_count: so.stepCount,
    run_count: runCount,
    entry_count: entryCount,
    digest,
    counts: tally.toJson(),
  };
  process.stdout.write(`${JSON.stringify({ ok: true, data })}\n`);
}

/** Tells on stderr how far it is, now and then, in a run that takes longer. */
function progressTeller(runCount: number): (doneCount: number) => void {
  let toldAtMs = performance.now();
  return (doneCount) => {
    if (performance.now() - toldAtMs < PROGRESS_EVERY_MS) return;
    toldAtMs = performance.now();
    process.stderr.write(`${doneCount} of ${runCount} worlds\n`);
  };
}

process.exitCode = await run(process.argv.slice(2));
