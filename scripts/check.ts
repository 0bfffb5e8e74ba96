// `npm run check [-- STEP …]`: everything that is checked without running the product.
// Every step runs even when an earlier one failed, so that one run names all that is wrong.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const MODULES = join(ROOT, "node_modules");

/** What each step runs, as arguments of this very Node. */
const STEPS: Readonly<Record<string, readonly string[]>> = {
  format: [join(MODULES, "prettier/bin/prettier.cjs"), "--check", "--log-level=warn", "."],
  lint: [join(MODULES, "oxlint/bin/oxlint"), "--quiet"],
  types: [join(MODULES, "typescript/bin/tsc"), "-p", "tsconfig.json"],
  tidy: [join(MODULES, "vitest/vitest.mjs"), "run", "--reporter=dot", "tests/tidy"],
  unused: [join(MODULES, "knip/bin/knip.js")],
  package: [join(ROOT, "scripts/check-package.ts")],
};

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !(name in STEPS));
if (unknown !== undefined) {
  process.stderr.write(`step must be one of ${Object.keys(STEPS).join(", ")}, got "${unknown}"\n`);
  process.exit(2);
}

const failed: string[] = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(STEPS)) {
  const startedAtMs = performance.now();
  const { status } = spawnSync(process.execPath, STEPS[name] ?? [], {
    cwd: ROOT,
    stdio: "inherit",
  });
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)\n`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  process.stderr.write(`check failed: ${failed.join(", ")}\n`);
  process.exit(1);
}
