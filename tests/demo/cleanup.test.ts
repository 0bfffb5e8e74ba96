import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Census } from "../../src/demo/outside/census.ts";
import { Cleanup } from "../../src/demo/stage/cleanup.ts";
import { makePremises } from "../../src/demo/stage/premises.ts";
import { environmentOf, listProcesses } from "../support/process-table.ts";

/**
 * One worker, and beside it a process that nothing shows to be of the fleet, for it is just being
 * started: it gets its mark when the worker is gone.
 */
const LATE = `
mkfifo "$1"
(env -i setsid sh -c '
  exec 3< "$0"
  echo up
  read -r nothing <&3
  STINT_FLEET="$1" STINT_INSTANCE=w-late exec sleep 600 3<&- >/dev/null
' "$1" "$STINT_FLEET" &)
exec sleep 600 > "$1"
`;

test("[DM3] what is started while all is ended is ended, too", async () => {
  // Premises point this very process to their own folders.
  for (const name of ["XDG_STATE_HOME", "XDG_RUNTIME_DIR"]) vi.stubEnv(name, "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const fleet = `f-${process.pid}`;
  const premises = makePremises();
  const told: string[] = [];
  const cleanup = new Cleanup(premises, (line) => told.push(line));
  const census = new Census(fleet);
  cleanup.take({ census });
  const shell = spawn("bash", ["-c", LATE, "bash", join(premises.dir, "life")], {
    env: { ...process.env, STINT_FLEET: fleet, STINT_INSTANCE: "w-early" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(shell.stdout, "data");
  await cleanup.run({ isKept: false });
  const left = listProcesses().filter(({ pid }) =>
    environmentOf(pid).includes(`STINT_FLEET=${fleet}`),
  );
  for (const { pid } of left) process.kill(pid, "SIGKILL");
  expect(left).toEqual([]);
  expect(census.seenCount).toBe(2);
  expect(existsSync(premises.dir)).toBe(false);
  expect(told).toEqual([]);
});
