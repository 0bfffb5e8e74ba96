import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OWN_FILES } from "../../src/sandbox/folder/notes.ts";
import type { ProcessRow } from "../support/process-table.ts";
import { isAlive, listProcesses } from "../support/process-table.ts";
import { HeldPipe } from "./holding.ts";
import { fixtures, kill, useGround } from "./state-folder.ts";

const ground = useGround();
const tree = join(fixtures, "tree.sh");
const stopper = join(import.meta.dirname, "fixtures/stopper.ts");

const endless: [string, string] = ["sleep", "60"];

function rowOf(pid: number | undefined): ProcessRow {
  const row = listProcesses().find((one) => one.pid === pid);
  if (row === undefined) throw new Error(`no process ${pid}`);
  return row;
}

/** Changes the record of a sandbox on disk, as another host, boot or time would have written it. */
function rewrite(instance: string, change: Readonly<Record<string, unknown>>): void {
  const file = join(ground.sandbox.folder(instance), "record.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...change }));
}

/** A sandbox that has ended, whose record then is made to name a process that is not Stint's. */
async function recordOver(innocent: ProcessRow, startTicks: number): Promise<void> {
  await ground.sandbox.start({ instance: "w-a", run: endless, files: {} });
  await kill(ground.sandbox, "w-a");
  const { pid } = innocent;
  const first = { pid, start_ticks: startTicks, group: pid, session: pid };
  rewrite("w-a", { process: first });
  // What was counted of its own end is not told of this one.
  rmSync(join(ground.sandbox.folder("w-a"), OWN_FILES.count));
}

async function withInnocent(act: (row: ProcessRow) => Promise<void>): Promise<void> {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  const exited = once(child, "exit");
  await once(child, "spawn");
  try {
    await act(rowOf(child.pid));
  } finally {
    child.kill("SIGKILL");
    await exited;
  }
}

test("[SB31] another process than the starter stops a worker, by its record", async () => {
  const pipe = new HeldPipe(ground.folder);
  await ground.sandbox.start({ instance: "w-a", run: [tree, pipe.path, "1"], files: {} });
  await pipe.ready(3);
  const answer = execFileSync(process.execPath, [stopper, ground.folder, ground.fleet, "w-a"], {
    encoding: "utf8",
  });
  expect(await pipe.isReleased(10_000)).toBe(true);
  expect(JSON.parse(answer)).toMatchObject({
    instance: "w-a",
    evidence: { grade: "swept" },
    outcome: { killed_by: "stopper" },
  });
});

test("[SB31] a worker survives its starter, and is found and stopped afterwards", async () => {
  const starter = spawn(
    process.execPath,
    [join(import.meta.dirname, "fixtures/starter.ts"), ground.folder, ground.fleet, "1"],
    {
      stdio: "ignore",
    },
  );
  await once(starter, "exit");
  const [record] = await ground.sandbox.list();
  expect({ ...record, pid: 0 }).toEqual({ instance: "w-0", pid: 0, seen: "alive" });
  const row = rowOf(record?.pid);
  // Nobody who is alive was told how it ended: its outcome names no code and no signal.
  expect((await kill(ground.sandbox, "w-0"))?.outcome).toEqual({ killed_by: "test" });
  expect(isAlive(row)).toBe(false);
});

test("[SB32] an exit that the starter saw is known to others", async () => {
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  await ground.sandbox.start({ instance: "w-a", run: ["sh", "-c", "exit 3"], files: {} });
  await exited;
  const other = await ground.open();
  await expect.poll(async () => (await kill(other, "w-a"))?.outcome).toEqual({ exit_code: 3 });
});

test("[SB11] of two who sweep one worker at once both tell how many were killed", async () => {
  const other = await ground.open();
  for (let round = 0; round < 8; round += 1) {
    const instance = `w-${round}`;
    await ground.sandbox.start({ instance, run: endless, files: {} });
    const endings = await Promise.all([kill(ground.sandbox, instance), kill(other, instance)]);
    for (const ending of endings) expect(ending?.evidence.facts["killed"]).toBe(1);
  }
});

test("[SB33] a later bearer of the pid, leader of a group of its own, is let be", async () => {
  await withInnocent(async (innocent) => {
    await recordOver(innocent, Number(innocent.startTicks) - 1);
    expect(await ground.sandbox.list()).toMatchObject([{ instance: "w-a", seen: "gone" }]);
    expect((await kill(ground.sandbox, "w-a"))?.evidence.facts["killed"]).toBe(0);
    expect(isAlive(innocent)).toBe(true);
  });
});

test("[SB33] after a boot the pids of a record mean nothing", async () => {
  await withInnocent(async (innocent) => {
    await recordOver(innocent, Number(innocent.startTicks));
    rewrite("w-a", { boot_id: "another boot" });
    expect((await kill(ground.sandbox, "w-a"))?.evidence.facts["killed"]).toBe(0);
    expect(isAlive(innocent)).toBe(true);
  });
});

test("[SB33] the process that a record rightly names is swept: the guard can open", async () => {
  await withInnocent(async (named) => {
    await recordOver(named, Number(named.startTicks));
    expect((await kill(ground.sandbox, "w-a"))?.evidence.facts["killed"]).toBe(1);
    expect(isAlive(named)).toBe(false);
  });
});

test("[SB34] in another namespace of pids a sandbox is unknown, its end unclaimed", async () => {
  await withInnocent(async (innocent) => {
    await recordOver(innocent, Number(innocent.startTicks));
    rewrite("w-a", { pid_namespace: "pid:[1]" });
    expect(await ground.sandbox.list()).toMatchObject([{ instance: "w-a", seen: "unknown" }]);
    expect(await kill(ground.sandbox, "w-a")).toBeUndefined();
    const fault = { code: "sandbox_failed" };
    await expect(ground.sandbox.freeze("w-a")).rejects.toMatchObject(fault);
    expect(isAlive(innocent)).toBe(true);
  });
});

test("[SB35] sandboxes of another fleet or host are not listed", async () => {
  await ground.sandbox.start({ instance: "w-a", run: endless, files: {} });
  expect(await (await ground.open({ fleet: "f-other" })).list()).toEqual([]);
  expect(await (await ground.open({ host: "another" })).list()).toEqual([]);
  expect((await ground.sandbox.list()).length).toBe(1);
});

test("[SB35] the same instance of another fleet is left alone", async () => {
  const stateFolder = join(ground.folder, "other");
  mkdirSync(stateFolder);
  const other = await ground.open({ fleet: `${ground.fleet}-other`, stateFolder });
  const theirs = await other.start({ instance: "w-a", run: endless, files: {} });
  await ground.sandbox.start({ instance: "w-a", run: endless, files: {} });
  await kill(ground.sandbox, "w-a");
  expect(isAlive(rowOf(theirs.pid))).toBe(true);
  await kill(other, "w-a");
});

test("[SB36] a worker started by a worker's process is its sibling and outlives it", async () => {
  const starter = join(import.meta.dirname, "fixtures/starter.ts");
  const args = [starter, ground.folder, ground.fleet, "1", "stay"] as const;
  const run = [process.execPath, ...args] as const;
  const parent = await ground.sandbox.start({ instance: "w-parent", run: [...run], files: {} });
  const child = await expectRunning("w-0");
  expect(child.parentPid).toBe(parent.pid);
  await kill(ground.sandbox, "w-parent");
  expect(isAlive(child)).toBe(true);
  await kill(ground.sandbox, "w-0");
  expect(isAlive(child)).toBe(false);
});

/** The first process of what the starter started, once it was let go: until then it is nobody. */
async function expectRunning(instance: string): Promise<ProcessRow> {
  const mark = join(ground.sandbox.folder(instance), "ran");
  await expect.poll(() => existsSync(mark), { timeout: 10_000 }).toBe(true);
  const records = await ground.sandbox.list();
  return rowOf(records.find((record) => record.instance === instance)?.pid);
}

test("[SB37] a worker that stops itself is left alive and claims no end", async () => {
  const out = join(ground.folder, "out");
  const script = '"$0" "$1" "$2" "$3" w-a > "$4"';
  const args = [process.execPath, stopper, ground.folder, ground.fleet, out] as const;
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  await ground.sandbox.start({ instance: "w-a", run: ["sh", "-c", script, ...args], files: {} });
  await expect.poll(() => readFileSync(out, "utf8"), { timeout: 10_000 }).toBe("null\n");
  await exited;
});

test("[SB38] a damaged record does not keep a worker from being found and swept", async () => {
  const { pid } = await ground.sandbox.start({ instance: "w-a", run: endless, files: {} });
  const row = rowOf(pid);
  writeFileSync(join(ground.sandbox.folder("w-a"), "record.json"), "{");
  // Its starter knows its process; who has only the record does not.
  const other = await ground.open();
  expect(await other.list()).toEqual([{ instance: "w-a", seen: "alive" }]);
  const ending = await kill(ground.sandbox, "w-a");
  expect(isAlive(row)).toBe(false);
  expect(ending?.evidence.facts["started"]).toBe("unknown");
});

test("[SB39] what dead starters left half-made is cleared away at the next opening", async () => {
  const root = join(ground.folder, "sandboxes");
  const dead = join(root, ".claim-999999999-1-00ff");
  const living = `.claim-${process.pid}-${rowOf(process.pid).startTicks}-00ff`;
  for (const path of [dead, join(root, living), join(root, ".forgotten-00ff")]) mkdirSync(path);
  await ground.open();
  expect(readdirSync(root)).toEqual([living]);
});
