import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openProcessSandbox } from "../../src/sandbox/process/process-sandbox.ts";
import { SANDBOX_CONTRACT, type SandboxSubject } from "../../src/testing/sandbox-contract.ts";
import { type Case, CASES, needsRung } from "./rungs.ts";

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function openOn({ options }: Case): Promise<SandboxSubject> {
  const stateFolder = mkdtempSync(join(tmpdir(), "stint-sandbox-"));
  const fleet = `f-${randomBytes(8).toString("hex")}`;
  const written = new Map<string, string>();
  const sandbox = await openProcessSandbox({
    ...options,
    stateFolder,
    fleet,
    output: async (instance) => ({
      write: async (stream, chunk) => {
        const key = `${instance} ${stream}`;
        written.set(key, (written.get(key) ?? "") + Buffer.from(chunk).toString("utf8"));
      },
      close: async () => void written.set(`${instance} closed`, "yes"),
    }),
  });
  closers.push(async () => {
    await sandbox.close();
    rmSync(stateFolder, { recursive: true });
  });
  return {
    sandbox,
    endless: ["sleep", "60"],
    exiting: (code) => ["sh", "-c", `exit ${code}`],
    writing: (text) => ["sh", "-c", 'printf "%s" "$0"; printf "%s" "$0" >&2', text],
    writtenBy: (instance) => ({
      stdout: written.get(`${instance} stdout`) ?? "",
      stderr: written.get(`${instance} stderr`) ?? "",
      isClosed: written.has(`${instance} closed`),
    }),
  };
}

for (const on of CASES) {
  for (const { name, run } of SANDBOX_CONTRACT) {
    test(`${name} (${on.name})`, async () => {
      await needsRung(on);
      await expect(run(() => openOn(on), expect)).resolves.toBeUndefined();
    });
  }
}
