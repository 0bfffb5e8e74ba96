import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { TestRunner } from "vitest";

/**
 * Skips the running test and says why on stderr.
 *
 * Throws instead under STINT_REQUIRE_ALL=1, as in CI: there a test that did not run is a failure.
 */
export function skipLoudly(reason: string): never {
  if (process.env["STINT_REQUIRE_ALL"] === "1") {
    throw new Error(`a test must run under STINT_REQUIRE_ALL=1, got skipped: ${reason}`);
  }
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error("skipLoudly must be called in a running test");
  process.stderr.write(`SKIPPED ${test.name}: ${reason}\n`);
  return test.context.skip(reason);
}

/** Skips the running test loudly unless `isPresent`; `reason` says what is missing. */
export function needs(isPresent: boolean, reason: string): asserts isPresent {
  if (!isPresent) skipLoudly(reason);
}

/** Skips the running test loudly unless a program of this name is on the PATH. */
export function needsProgram(name: string): void {
  needs(isOnPath(name), `the program "${name}" is not on the PATH`);
}

function isOnPath(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      // Not in this folder, or not ours to run.
      return false;
    }
  });
}
