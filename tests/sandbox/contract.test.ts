import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openProcessSandbox } from "../../src/sandbox/process/process-sandbox.ts";
import { SANDBOX_CONTRACT, type SandboxSubject } from "../../src/testing/sandbox-contract.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function open(): Promise<SandboxSubject> {
  const stateFolder = mkdtempSync(join(tmpdir(), "stint-sandbox-"));
  const fleet = `f-${randomBytes(8).toString("hex")}`;
  const sandbox = await openProcessSandbox({ stateFolder, fleet });
  closers.push(async () => {
    await sandbox.close();
    rmSync(stateFolder, { recursive: true });
  });
  return {
    sandbox,
    endless: ["sleep", "60"],
    exiting: (code) => ["sh", "-c", `exit ${code}`],
  };
}

for (const { name, run } of SANDBOX_CONTRACT) {
  test(`${name} (process)`, async () => {
    await expect(run(open, expect)).resolves.toBeUndefined();
  });
}
