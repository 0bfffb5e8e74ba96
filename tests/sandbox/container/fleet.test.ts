// A fleet whose workers are containers: its supervisors, whoever comes after them, and a kill.
import { join } from "node:path";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stint } from "../../support/cli.ts";
import { makeRig, type Rig } from "../../supervisor/rig.ts";
import { hasEngine, IMAGE, needsEngine, TestEngine } from "./engine.ts";

const engine = new TestEngine();
const driver = { driver: "container", image: IMAGE, socket: engine.socket } as const;

beforeAll(async () => {
  if (hasEngine()) await engine.begin();
}, 60_000);

afterAll(() => engine.end());

/** Starts a shell script as a worker of a rig; answers its id. */
async function begin(rig: Rig, script: string): Promise<string> {
  const order = { ...rig.order(["sh", "-c", script]), cwd: rig.folder };
  const reply = await rig.operator("/v1/workers", order);
  expect(reply.body).toMatchObject({ ok: true });
  return order.admission.instance;
}

function names(): string {
  return engine.podman("ps", "--all", "--format", "{{.Names}} {{.Status}}");
}

test("[CN14] a supervisor runs workers as containers, and so do those after it", async () => {
  needsEngine();
  const rig = await makeRig();
  const first = await rig.supervise({ driver });
  expect(first.said[0]).toMatchObject({ degraded: ["leases"] });
  const script = `test -S "$(dirname "$STINT_WORKER_TOKEN_FILE")/worker.sock" && echo door
    ls ${rig.stateDir} | wc -l; pwd; exec sleep 600`;
  const id = await begin(rig, script);
  const output = join(rig.stateDir, "output", `${id}.jsonl`);
  await expect.poll(() => readFileSync(output, "utf8"), { timeout: 10_000 }).toContain(rig.folder);
  const frames = readFileSync(output, "utf8").trim().split("\n");
  const text = frames.map((line) => (JSON.parse(line) as { text?: string }).text ?? "").join("");
  expect(text).toBe(`door\n0\n${rig.folder}\n`);

  await first.kill();
  expect(names()).toContain(id);
  const second = await rig.supervise();
  expect(String(second.said[0]?.["rung"])).toMatch(/^container, Podman/);
  expect(await rig.end(id)).toMatchObject({ evidence: { grade: "observed" } });
  expect(names()).not.toContain(id);
});

test("[CN14] a supervisor of processes ends the containers before it", async () => {
  needsEngine();
  const rig = await makeRig();
  const first = await rig.supervise({ driver });
  const id = await begin(rig, "exec sleep 600");
  await first.kill();
  await rig.supervise({ driver: { driver: "process" } });
  expect(await rig.end(id)).toMatchObject({ evidence: { grade: "observed" } });
  expect(names()).not.toContain(id);
});

test("[CN14] a kill without a supervisor ends containers, or claims no end", async () => {
  needsEngine();
  const rig = await makeRig();
  const first = await rig.supervise({ driver });
  const id = await begin(rig, "exec sleep 600");
  await first.kill();
  await engine.breakDown();
  const blind = await rig.fleet.kill({ reason: "a test" });
  expect(blind.proven).toBe(false);
  await engine.serve();
  expect(names()).toContain(id);
  const receipt = await rig.fleet.kill({ reason: "a test" });
  expect(receipt.proven).toBe(true);
  expect(names()).not.toContain(id);
});

test("[AC4] a supervisor of containers proves that it can end one", async () => {
  needsEngine();
  const rig = await makeRig({ armedEveryMs: 60_000, armedAction: "pause" });
  await rig.supervise({ driver });
  const checks = async (): Promise<readonly unknown[]> =>
    (await rig.entries()).filter(({ kind }) => kind === "armed.checked").map(({ data }) => data);
  await expect.poll(checks, { timeout: 25_000 }).toHaveLength(1);
  expect(await checks()).toMatchObject([{ ok: true }]);
  expect(names()).toBe("");
});

test("[CN14] a choice of driver that cannot be read starts nothing", async () => {
  needsEngine();
  const rig = await makeRig();
  writeFileSync(join(rig.stateDir, "driver.json"), "{");
  const refused = await rig.launch().started();
  expect(JSON.stringify(refused.said)).toContain("driver.json must say which driver");
});

test("[CN14] the command line runs workers as containers, once that was chosen", async () => {
  needsEngine();
  const cwd = mkdtempSync(join(engine.folder, "site-"));
  const env = { XDG_RUNTIME_DIR: mkdtempSync(join(engine.folder, "r-")) };
  expect(await stint(["init"], { cwd, env })).toMatchObject({ exit: 0 });
  const chosen = ["--driver", "container", "--image", IMAGE, "--socket", engine.socket];
  const choice = await stint(["supervise", ...chosen, "--idle-ms", "500"], { cwd, env });
  expect(choice).toMatchObject({ exit: 0 });
  try {
    const script = "cat /proc/1/cmdline; echo by-worker > made; exit 7";
    const ran = await stint(["run", "--", "sh", "-c", script], { cwd, env });
    expect(ran.exit).toBe(7);
    expect(ran.stdout).toContain("init");
    expect(readFileSync(join(cwd, "made"), "utf8")).toBe("by-worker\n");
    const where = await stint(["where"], { cwd, env });
    expect(where.stdout).toMatch(/contained by container, Podman/);
  } finally {
    await stint(["down", "--stop"], { cwd, env });
  }
  const doctor = { cwd, env: { ...env, DOCKER_HOST: `unix://${engine.socket}` } };
  const { stdout } = await stint(["doctor", "--json"], doctor);
  expect(stdout).toMatch(/"name":"containers","status":"ok","detail":"Podman/);
}, 60_000);
