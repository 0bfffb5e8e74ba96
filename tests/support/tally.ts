import { appendFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** How many tests passed and failed; whatever else went wrong in a run counts as failed. */
export type Tally = { readonly passedCount: number; readonly failedCount: number };

/**
 * Appends the tally of each run as a line `PASSED FAILED` to the file that STINT_TALLY_FILE names.
 *
 * A skipped test counts as failed, and fails the run, under STINT_REQUIRE_ALL=1.
 */
export class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passedCount = 0;
    let skippedCount = 0;
    // An error outside any test: a file that does not load, a hook that throws.
    let failedCount = errors.length;
    for (const module of modules) {
      failedCount += module.errors().length;
      for (const suite of module.children.allSuites()) failedCount += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passedCount += 1;
        else if (state === "skipped") skippedCount += 1;
        else failedCount += 1;
      }
    }
    if (process.env["STINT_REQUIRE_ALL"] === "1" && skippedCount > 0) {
      process.stderr.write(`${skippedCount} skipped: a failure under STINT_REQUIRE_ALL=1\n`);
      failedCount += skippedCount;
      process.exitCode = 1;
    }
    addToTally({ passedCount, failedCount });
  }
}

/** Adds to the tally file, if there is one; a line per call, summed by whoever reads it. */
export function addToTally(tally: Tally): void {
  const file = process.env["STINT_TALLY_FILE"];
  if (file !== undefined) appendFileSync(file, `${tally.passedCount} ${tally.failedCount}\n`);
}
