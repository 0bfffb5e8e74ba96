import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import type { SandboxSpec } from "../../src/ports/sandbox.ts";
import { layClaim } from "../../src/sandbox/folder/claim.ts";
import { awaitProgram, letGo, spawnLauncher } from "../../src/sandbox/process/launcher.ts";
import { Lookout } from "../../src/sandbox/process/lookout.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { environmentOf, isAlive, listProcesses } from "../support/process-table.ts";
import { HeldPipe } from "./holding.ts";
import { kill, useGround } from "./state-folder.ts";

const ground = useGround();

function run(fixture: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, fixture), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("a fixture has an output");
  const chunks: unknown[] = await once(child.stdout, "data");
  return String(chunks[0]).trim();
}

/** Processes that bear the marks of this test's fleet, and of one instance if one is named. */
function marked(instance?: string): number[] {
  return listProcesses()
    .filter((row) => {
      const environment = environmentOf(row.pid);
      const isOurs = environment.includes(`STINT_FLEET=${ground.fleet}`);
      const isIts = instance === undefined || environment.includes(`STINT_INSTANCE=${instance}`);
      return isOurs && isIts;
    })
    .map((row) => row.pid);
}

test("[SB21] what is laid into a sandbox is there before it runs, for its owner only", async () => {
  const out = join(ground.folder, "out");
  const folder = ground.sandbox.folder("w-a");
  const files = { "manifest.json": '{"some":"manifest"}' };
  const program = ["sh", "-c", 'cat "$1/manifest.json" > "$0"', out, folder] as const;
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  await ground.sandbox.start({ instance: "w-a", run: [...program], files });
  await exited;
  expect(readFileSync(out, "utf8")).toBe(files["manifest.json"]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) {
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  }
});

test("[SB22] the environment is small, has the marks, and these cannot be replaced", async () => {
  process.env["STINT_TEST_PRIVATE"] = "private";
  try {
    const env = { GREETING: "hello", STINT_INSTANCE: "w-forged", STINT_FLEET: "f-forged" };
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    await ground.sandbox.start({ instance: "w-a", run: ["env"], env, files: {} });
    await exited;
    const lines = readFileSync(join(ground.sandbox.folder("w-a"), "output.log"), "utf8").split(
      "\n",
    );
    expect(lines).toContain("GREETING=hello");
    expect(lines).toContain("STINT_INSTANCE=w-a");
    expect(lines).toContain(`STINT_FLEET=${ground.fleet}`);
    expect(lines.join("\n")).not.toMatch(/private|forged/);
  } finally {
    delete process.env["STINT_TEST_PRIVATE"];
  }
});

test("[SB23] of many processes that start an instance at once one runs it", async () => {
  const starters = Array.from({ length: 4 }, () =>
    run("fixtures/starter.ts", ground.folder, ground.fleet, "3"),
  );
  await Promise.all(starters.map((starter) => once(starter, "exit")));
  await expect.poll(() => [0, 1, 2].map((index) => marked(`w-${index}`).length)).toEqual([1, 1, 1]);
  const folders = readdirSync(join(ground.folder, "sandboxes"));
  expect(folders).toEqual(["w-0", "w-1", "w-2"]);
});

test("[SB24] a launcher whose starter dies before it lets go runs nothing", async () => {
  const mark = join(ground.folder, "ran");
  const starter = run("fixtures/waiting-launcher.ts", ground.folder, ground.fleet, mark);
  const exited = once(starter, "exit");
  const pid = Number(await firstLine(starter));
  const launcher = listProcesses().find((row) => row.pid === pid);
  expect(launcher?.sessionId).toBe(pid);
  expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["alive"]);
  starter.kill("SIGKILL");
  await exited;
  await expect.poll(() => launcher && isAlive(launcher)).toBe(false);
  expect(existsSync(mark)).toBe(false);
  expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["gone"]);
  const ending = await kill(ground.sandbox, "w-waiting");
  expect(ending?.evidence.grade).toBe("swept");
  expect(ending?.evidence.facts).toMatchObject({ killed: 0, started: false });
  expect(ending?.outcome).toEqual({});
});

test("[SB24] a stop finds the launcher of a starter that never lets go", async () => {
  const mark = join(ground.folder, "ran");
  const starter = run("fixtures/waiting-launcher.ts", ground.folder, ground.fleet, mark);
  const exited = once(starter, "exit");
  const pid = Number(await firstLine(starter));
  const ending = await kill(ground.sandbox, "w-waiting");
  expect(ending?.evidence.facts["killed"]).toBe(1);
  expect(listProcesses().some((row) => row.pid === pid)).toBe(false);
  await exited;
  expect(existsSync(mark)).toBe(false);
});

test("[SB25] whenever a starter is killed, every program that ran is on record", async () => {
  const random = seededRandom("kill the starter");
  for (let round = 0; round < 6; round += 1) {
    const folder = join(ground.folder, `round-${round}`);
    mkdirSync(folder);
    const sandbox = await ground.open({ stateFolder: folder });
    const starter = run("fixtures/starter.ts", folder, ground.fleet, "20");
    const exited = once(starter, "exit");
    await killAfterLines(starter, 1 + random.below(4));
    await exited;
    const records = await sandbox.list();
    for (const { instance, pid } of records) {
      const hasRun = existsSync(join(sandbox.folder(instance), "ran"));
      expect(hasRun && pid === undefined).toBe(false);
    }
    const endings = await Promise.all(records.map(({ instance }) => kill(sandbox, instance)));
    expect(endings.map((ending) => ending?.evidence.grade)).toEqual(records.map(() => "swept"));
    expect(marked()).toEqual([]);
  }
});

/** Kills a starter in the middle of what follows its n-th line. */
async function killAfterLines(starter: ChildProcess, lineCount: number): Promise<void> {
  const { stdout } = starter;
  if (stdout === null) throw new Error("a starter has an output");
  let seenCount = 0;
  for await (const _ of createInterface({ input: stdout })) {
    seenCount += 1;
    if (seenCount === lineCount) break;
  }
  starter.kill("SIGKILL");
}

test("[SB26] a stop that overtakes a start leaves nothing running, whoever is first", async () => {
  for (let round = 0; round < 12; round += 1) {
    const instance = `w-${round}`;
    const start = ground.sandbox
      .start({ instance, run: ["sleep", "60"], files: {} })
      .catch((fault: unknown) => fault);
    for (let turn = 0; turn < round; turn += 1) await new Promise(setImmediate);
    const ending = await kill(await ground.open(), instance);
    await start;
    expect(ending?.evidence.grade).toBe("swept");
    expect(marked(instance)).toEqual([]);
  }
});

test("[SB26] a launcher that is let go after a stop has passed by runs nothing", async () => {
  const mark = join(ground.folder, "ran");
  const place = { root: join(ground.folder, "sandboxes"), fleet: ground.fleet, host: "here" };
  const lookout = new Lookout(place);
  const spec: SandboxSpec = { instance: "w-a", run: ["touch", mark], files: {} };
  const record = lookout.newRecord("w-a", spec.run);
  const folder = lookout.folder("w-a");
  await layClaim(folder, { record, files: {}, permitted: true });
  expect((await kill(ground.sandbox, "w-a"))?.evidence.facts["killed"]).toBe(0);
  const launch = { ...place, spec, folder, permitFile: undefined };
  const child = await spawnLauncher(launch);
  letGo(child);
  await expect(awaitProgram(child, launch)).rejects.toThrow("stopped before it began");
  expect(existsSync(mark)).toBe(false);
});

test("[SB27] without the fleet's permit nothing is started", async () => {
  const permitFile = join(ground.folder, "permit");
  const sandbox = await ground.open({ permitFile });
  writeFileSync(permitFile, "");
  const first = await sandbox.start({ instance: "w-a", run: ["sleep", "60"], files: {} });
  expect(first.seen).toBe("alive");
  unlinkSync(permitFile);
  const second = sandbox.start({ instance: "w-b", run: ["sleep", "60"], files: {} });
  await expect(second).rejects.toMatchObject({ code: "sandbox_failed" });
  expect(marked("w-b")).toEqual([]);
});

test.each([
  // With a folder on the PATH that may not be looked into, a shell cannot tell that there is none.
  [
    "does not exist",
    ["stint-no-such-program"],
    /"stint-no-such-program" must be (on PATH|executable), it/,
  ],
  ["is not executable", ["/etc/passwd"], /"\/etc\/passwd" must be executable, it is not/],
  ["is a folder", ["/"], /the program "\/" must be/],
  ["has no name", [""], /must be named/],
  ["looks like an option", ["-c", "id"], /not begin with "-"/],
  ["holds a NUL", ["echo", "a\0b"], /NUL/],
])("[SB28] a program that %s is a fault, and nothing is left", async (_, program, message) => {
  const spec = { instance: "w-a", run: program as [string], files: {} };
  const fault: unknown = await ground.sandbox.start(spec).then(
    () => expect.fail("the start must fail"),
    (error: unknown) => error,
  );
  expect(fault).toMatchObject({ code: "sandbox_failed" });
  expect(String(fault)).toMatch(message);
  expect(marked("w-a")).toEqual([]);
  expect((await ground.sandbox.list()).filter((record) => record.seen !== "gone")).toEqual([]);
});

test("[SB28] a working directory that does not exist is a fault, and nothing is left", async () => {
  const cwd = join(ground.folder, "missing");
  const start = ground.sandbox.start({ instance: "w-a", run: ["true"], cwd, files: {} });
  await expect(start).rejects.toMatchObject({ code: "sandbox_failed" });
  await expect(start).rejects.toThrow(cwd);
  expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["gone"]);
});

test("[SB28] a program that exits with the launcher's own codes has run all the same", async () => {
  for (const code of [125, 126, 127]) {
    const instance = `w-${code}`;
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    await ground.sandbox.start({ instance, run: ["sh", "-c", `exit ${code}`], files: {} });
    await exited;
    expect((await kill(ground.sandbox, instance))?.outcome).toEqual({ exit_code: code });
  }
});

test("[SB29] arguments reach a program as they are", async () => {
  const args = [
    "",
    " ",
    "a b",
    '"',
    "'",
    "$HOME",
    "`id`",
    "*",
    "\\",
    "line\nfeed",
    "ü",
    "-n",
    "--",
  ];
  const script = 'for arg in "$@"; do printf "<%s>" "$arg"; done';
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  const program = ["sh", "-c", script, "sh", ...args] as const;
  await ground.sandbox.start({ instance: "w-a", run: [...program], files: {} });
  await exited;
  const output = readFileSync(join(ground.sandbox.folder("w-a"), "output.log"), "utf8");
  expect(output).toBe(args.map((arg) => `<${arg}>`).join(""));
});

test("[SB30] output is bounded: the newer half is kept and the cut is named", async () => {
  const sandbox = await ground.open({ outputBytesMax: 10_000 });
  const pipe = new HeldPipe(ground.folder);
  const script = 'exec 9> "$0"; seq 1 20000; echo "ready $$" >&9; read -r _ < /dev/null; sleep 60';
  await sandbox.start({ instance: "w-a", run: ["sh", "-c", script, pipe.path], files: {} });
  await pipe.ready(1);
  await sandbox.list();
  const output = readFileSync(join(sandbox.folder("w-a"), "output.log"), "utf8");
  expect(output.length).toBeLessThanOrEqual(10_000);
  expect(output).toMatch(/^\[stint: \d+ bytes of output were dropped here\]\n/);
  expect(output).toMatch(/\n19999\n20000\n$/);
});

test("[SB30] a worker writes on after its output was cut, without a gap", async () => {
  const sandbox = await ground.open({ outputBytesMax: 1_000 });
  const go = join(ground.folder, "go");
  const script = 'seq 1 5000; while [ ! -e "$0" ]; do sleep 0.01; done; echo after';
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ instance: "w-a", run: ["sh", "-c", script, go], files: {} });
  const file = join(sandbox.folder("w-a"), "output.log");
  await expect.poll(() => readFileSync(file, "utf8")).toMatch(/\n5000\n$/);
  await sandbox.list();
  writeFileSync(go, "");
  await exited;
  const output = readFileSync(file, "utf8");
  expect(output).toMatch(/^\[stint: .*\n5000\nafter\n$/s);
  expect(output).not.toContain("\0");
});

test("[SB30] a starter bounds the output of what it started without being asked", async () => {
  const sandbox = await ground.open({ outputBytesMax: 1_000 });
  await sandbox.start({ instance: "w-a", run: ["sh", "-c", "seq 1 5000; sleep 60"], files: {} });
  const file = join(sandbox.folder("w-a"), "output.log");
  const text = (): string => readFileSync(file, "utf8");
  await expect.poll(text, { timeout: 10_000 }).toMatch(/^\[stint: .*\n5000\n$/s);
  expect(text().length).toBeLessThanOrEqual(1_000);
});
