// The tests that take minutes. STINT_LONG_THIRD=1, 2 or 3 runs that third of the files.
import { globSync } from "node:fs";
import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

const THIRDS = ["1", "2", "3"];

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: chooseFiles(process.env["STINT_LONG_THIRD"]),
    exclude: [],
    passWithNoTests: true,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});

function chooseFiles(third: string | undefined): string[] {
  const files = globSync("tests/**/*.long.test.ts", { cwd: import.meta.dirname }).toSorted();
  if (third === undefined) return files;
  if (!THIRDS.includes(third)) {
    throw new Error(`STINT_LONG_THIRD must be 1, 2 or 3, got "${third}"`);
  }
  return files.filter((_, index) => index % THIRDS.length === THIRDS.indexOf(third));
}
