import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { listDoors } from "./scripts/doors.ts";
import { TallyReporter } from "./tests/support/tally.ts";

export default defineConfig({
  // Tests import "stint" as a user does, and get the source without a build.
  resolve: {
    alias: listDoors().map(({ specifier, source }) => ({
      find: new RegExp(`^${specifier}$`),
      replacement: source,
    })),
  },
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/**/*.long.test.ts"],
    allowOnly: false,
    // Real processes: tests signal themselves, change directory, and are killed.
    pool: "forks",
    // A third of the time they wait for processes and deadlines.
    maxWorkers: Math.ceil(1.5 * Math.max(2, availableParallelism())),
    // Killed fleets are remembered outside of their folders: not in the user's own place here.
    env: { XDG_STATE_HOME: join(tmpdir(), `stint-test-state-${process.getuid?.() ?? 0}`) },
    // A busy machine is slow, not wrong: what is awaited of the outside world gets its time.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: ["tests/support/leaks.global.ts"],
    setupFiles: ["tests/support/leaks.setup.ts"],
    reporters: ["default", new TallyReporter()],
  },
});
