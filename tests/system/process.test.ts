import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  isRunning,
  isSame,
  ownIdentity,
  parseStatus,
  readProcess,
} from "../../src/system/process.ts";

const rest = "S 40 41 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";

test.each(["sh", "a b", ") R 1 1", "((", "a) (b"])(
  "[SY12] a program named %j cannot forge its status",
  (name) => {
    expect(parseStatus(`77 (${name}) ${rest}`)).toEqual({
      pid: 77,
      state: "S",
      parentPid: 40,
      groupId: 41,
      sessionId: 42,
      startTicks: 987654,
    });
  },
);

test.each(["", "77", "77 (sh)", "77 (sh) S 1 2", "77 (sh) S 1 2 3 x"])(
  "[SY12] %j is no status",
  (text) => {
    expect(parseStatus(text)).toBeUndefined();
  },
);

test("[SY13] a process is itself, and a later bearer of its pid is not", () => {
  const self = ownIdentity();
  expect(self.pid).toBe(process.pid);
  expect(isRunning(self)).toBe(true);
  expect(isRunning({ ...self, startTicks: self.startTicks + 1 })).toBe(false);
  expect(isSame(self, { ...self, startTicks: self.startTicks - 1 })).toBe(false);
});

test("[SY13] a zombie does not run", async () => {
  // The shell never waits for its child, so the child stays a zombie until the shell ends.
  const script = "sleep 0 & echo $!; exec sleep 1000";
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(shell, "exit");
  try {
    const lines: unknown[] = await once(shell.stdout, "data");
    const pid = Number(String(lines[0]));
    await expect.poll(() => readProcess(pid)?.state).toBe("Z");
    const status = readProcess(pid);
    expect(status && isRunning(status)).toBe(false);
  } finally {
    shell.kill("SIGKILL");
    await exited;
  }
});
