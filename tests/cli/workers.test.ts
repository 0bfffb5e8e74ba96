import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { endWords } from "../../src/cli/roster/row.ts";
import { isAlive, listProcesses } from "../support/process-table.ts";
import { makeGround } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const FIELDS = [
  "admitted_at_ms",
  "budget",
  "degraded",
  "depth",
  "end",
  "expires_at_ms",
  "id",
  "last_beat_at_ms",
  "limits_hit",
  "name",
  "parent_id",
  "pid",
  "quarantined",
  "root_id",
  "stale",
  "status",
];

test("[CV20] workers are listed with exactly the public fields, and pids that live", async () => {
  const ground = await makeGround();
  expect((await ground.call(["workers"])).stdout).toContain("no worker lives");
  const spawn = async (name: string, ...options: string[]): Promise<string> => {
    const words = ["spawn", "--json", "--name", name, ...options, "--", "sleep", "300"];
    const called = await ground.call(words);
    return called.json().data.worker_id;
  };
  const root = await spawn("root", "--processes", "64");
  const child = await spawn("child", "--parent", "root", "--processes", "16");
  const called = await ground.call(["workers", "--json"]);
  const rows = called.json().data.workers;
  expect(rows.map((row: object) => Object.keys(row).toSorted())).toEqual([FIELDS, FIELDS]);
  const found = rows.find(({ id }: { readonly id: string }) => id === root);
  expect(found).toMatchObject({
    name: "root",
    parent_id: null,
    root_id: root,
    depth: 0,
    status: "running",
    stale: false,
    quarantined: false,
    budget: {
      granted: { processes: 64 },
      reserved: { processes: 16 },
      free: { processes: 48 },
    },
  });
  const row = listProcesses().find(({ pid }) => pid === found.pid);
  expect(row !== undefined && isAlive(row)).toBe(true);
  await expect
    .poll(async () => {
      const now = (await ground.call(["workers", "--json"])).json().data.workers;
      return now.every(
        (one: { last_beat_at_ms: unknown }) => typeof one.last_beat_at_ms === "number",
      );
    })
    .toBe(true);
  const tree = (await ground.call(["workers", "--tree"])).stdout.split("\n");
  expect(tree[1]).toMatch(new RegExp(`^${root}  +root`));
  expect(tree[2]).toMatch(new RegExp(`^  ${child}  +child`));
  await ground.call(["stop", child, "--yes"]);
  expect((await ground.call(["workers", "--json"])).json().data.workers).toHaveLength(1);
  const all = (await ground.call(["workers", "--all", "--json"])).json().data.workers;
  expect(all.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
    [root, "running"],
    [child, "stopped"],
  ]);
  expect(all.map(({ end }: { end: unknown }) => end)).toEqual([
    null,
    expect.objectContaining({ reason: "requested", proven: true }),
  ]);
  expect((await ground.call(["workers", "--all"])).stdout).toMatch(/stopped, requested/);
  expect(Object.keys(all[1]).toSorted()).toEqual(FIELDS);
});

test("[CV26] how a program ended is listed, by its exit code or its signal", async () => {
  const ground = await makeGround();
  await ground.call(["run", "--", "sh", "-c", "exit 3"]);
  await ground.call(["run", "--", "sh", "-c", "kill -TERM $$"]);
  const rows = (await ground.call(["workers", "--all", "--json"])).json().data.workers;
  const [exited, signalled] = rows.map(({ end }: { end: object }) => end);
  expect(exited).toMatchObject({ exit_code: 3 });
  // The keeper of a namespace reports a signal as a shell does.
  expect([signalled.signal, signalled.exit_code]).toContain(signalled.signal ? "SIGTERM" : 143);
  const shown = (await ground.call(["workers", "--all"])).stdout;
  expect(shown).toContain("exit code 3");
  expect(shown).toMatch(/signal SIGTERM|exit code 143/);
});

test("[CV26] that memory or time was used up is listed as the cause", async () => {
  const ground = await makeGround();
  await ground.call(["run", "--wall", "200ms", "--", "sleep", "300"]);
  expect((await ground.call(["workers", "--all"])).stdout).toMatch(/stopped, \w+, out of time/);
  const [{ end }] = (await ground.call(["workers", "--all", "--json"])).json().data.workers;
  expect(end).toMatchObject({ timed_out: true });
  const killed = { reason: "failed", grade: "observed", proven: true, signal: "SIGKILL" } as const;
  expect(endWords({ ...killed, oom_killed: true })).toEqual(["failed", "out of memory"]);
  expect(endWords(killed)).toEqual(["failed", "signal SIGKILL"]);
});

test("[CV27] live workers that no supervisor looks after are said to be in doubt", async () => {
  const ground = await makeGround();
  await ground.spawn("a");
  const line = "no supervisor runs: 1 of these";
  for (const args of [[], ["workers"]])
    expect((await ground.call(args)).stdout).not.toContain(line);
  ground.killSupervisor();
  for (const args of [[], ["workers"]])
    await expect.poll(async () => (await ground.call(args)).stdout).toContain(line);
  expect((await ground.call(["workers", "--json"])).stdout).not.toContain("no supervisor");
});
