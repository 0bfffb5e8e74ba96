import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { SANDBOX_CONTRACT, type SandboxSubject } from "../../../src/testing/sandbox-contract.ts";
import { hasEngine, needsEngine, TestEngine } from "./engine.ts";

const engine = new TestEngine();
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (hasEngine()) await engine.begin();
}, 60_000);

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

afterAll(() => engine.end());

async function open(): Promise<SandboxSubject> {
  const written = new Map<string, string>();
  const { sandbox } = await engine.open({
    output: async (instance) => ({
      write: async (stream, chunk) => {
        const key = `${instance} ${stream}`;
        written.set(key, (written.get(key) ?? "") + Buffer.from(chunk).toString("utf8"));
      },
      close: async () => void written.set(`${instance} closed`, "yes"),
    }),
  });
  closers.push(() => sandbox.close());
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

for (const { name, run } of SANDBOX_CONTRACT) {
  test(`${name} (container)`, async () => {
    needsEngine();
    await expect(run(open, expect)).resolves.toBeUndefined();
  });
}
