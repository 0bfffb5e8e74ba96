import { spawn as spawnChild } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { needsProgram } from "../support/require-all.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const namesOf = async (ground: Ground): Promise<readonly string[]> => {
  const { workers } = (await ground.call(["workers", "--json"])).json().data;
  return workers.map(({ name }: { readonly name: string }) => name).toSorted();
};

test("[CV60] a stop shows who will end, and without a terminal needs --yes", async () => {
  const ground = await makeGround();
  const root = await ground.spawn("root");
  await ground.spawn("child", "--parent", "root");
  const unsaid = await ground.call(["stop", "root"]);
  expect(unsaid.exit).toBe(2);
  expect(unsaid.stderr).toContain("2 workers will end:");
  expect(unsaid.stderr).toMatch(new RegExp(`${root} +root +running\\n`));
  expect(unsaid.stderr).toMatch(/child +running +loses its parent/);
  expect(unsaid.stderr).toContain("--yes must be given");
  expect(await namesOf(ground)).toEqual(["child", "root"]);
});

test("[CV61] a stop waits for the ends and answers one receipt", async () => {
  const ground = await makeGround();
  const ids = [await ground.spawn("a"), await ground.spawn("b")];
  await ground.spawn("c");
  const rows = ids.length;
  const stopped = await ground.call(["stop", ...ids, "--yes", "--json"]);
  const { receipt } = stopped.json().data;
  expect(receipt).toMatchObject({
    type: "stint/receipt/v1",
    order: "stop",
    stopped_count: rows,
    survivor_count: 0,
    duration_ms: expect.any(Number),
  });
  expect(receipt.workers.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
  expect(stopped.exit).toBe(receipt.proven ? 0 : 6);
  expect(await namesOf(ground)).toEqual(["c"]);
  const shown = await ground.call(["receipt", String(receipt.seq), "--json"]);
  expect(shown.json().data).toMatchObject({ is_signed: true, receipt });
  const again = await ground.call(["stop", ids[0] ?? "", "--yes", "--json"]);
  expect(again.exit).toBe(3);
  expect(again.json().refusal.code).toBe("worker_ended");
});

test("[CV62] a worker is asked once, has its grace, and is killed when it is over", async () => {
  const ground = await makeGround();
  const log = join(ground.dir, "told");
  const polite = `trap 'echo told >> ${log}; sleep 0.3; exit 0' TERM; while :; do sleep 0.05; done`;
  const deaf = `trap '' TERM; while :; do sleep 0.05; done # deaf-3`;
  await ground.spawn("polite", "--", "sh", "-c", polite);
  await ground.spawn("deaf", "--", "sh", "-c", deaf);
  await expect.poll(() => ground.processesWith("deaf-3").length).toBeGreaterThan(0);
  const stopped = await ground.call(["stop", "--all", "--grace", "1s", "--yes", "--json"]);
  expect(stopped.json().data.receipt).toMatchObject({ stopped_count: 2, survivor_count: 0 });
  expect(readFileSync(log, "utf8")).toBe("told\n");
  expect(ground.processesWith("deaf-3")).toEqual([]);
  const all = (await ground.call(["workers", "--all", "--json"])).json().data.workers;
  const show = async (name: string) => {
    const { id } = all.find((one: { readonly name: string }) => one.name === name);
    return (await ground.call(["worker", "show", id, "--json"])).json().data.worker.end.outcome;
  };
  expect(await show("polite")).toMatchObject({ exit_code: 0 });
  expect(await show("deaf")).toMatchObject({ signal: "SIGKILL", killed_by: "requested" });
});

test("[CV63] a name stops all that bear it, --tree what is below, --all everybody", async () => {
  const ground = await makeGround();
  await ground.spawn("twin");
  await ground.spawn("twin");
  await ground.spawn("root");
  await ground.spawn("child", "--parent", "root");
  await ground.spawn("other");
  await ground.call(["stop", "--name", "twin", "--yes"]);
  expect(await namesOf(ground)).toEqual(["child", "other", "root"]);
  const tree = await ground.call(["stop", "root", "--tree", "--yes", "--json"]);
  expect(tree.json().data.receipt.workers).toHaveLength(2);
  expect(await namesOf(ground)).toEqual(["other"]);
  await ground.call(["stop", "--all", "--yes"]);
  const none = await ground.call(["stop", "--all", "--yes", "--json"]);
  expect(none.json()).toMatchObject({ ok: true, data: { receipt: null } });
  const unknown = await ground.call(["stop", "--name", "nobody", "--yes"]);
  expect(unknown.exit).toBe(4);
  const ended = await ground.call(["stop", "--name", "twin", "--yes", "--json"]);
  expect(ended.exit).toBe(4);
  expect(ended.json().refusal).toMatchObject({ code: "worker_unknown", facts: { name: "twin" } });
  expect(ended.json().refusal.message).toMatch(/name of a live worker .*, got "twin"; /);
  expect((await ground.call(["stop", "--yes"])).stderr).toContain("named by ID");
});

test("[CV66] a stop of who has ended says who that was and when", async () => {
  const ground = await makeGround();
  const id = await ground.spawn("gone");
  await ground.done(["stop", "gone", "--yes"]);
  for (const named of ["gone", id]) {
    const again = await ground.call(["stop", named, "--yes"]);
    expect(again.exit).toBe(3);
    expect(again.stderr).toMatch(
      new RegExp(`${id} \\(gone\\) ended 20[-0-9]+ [0-9:]+Z: requested, `),
    );
  }
  const nobody = await ground.call(["stop", "nobody", "--yes"]);
  expect(nobody).toMatchObject({ exit: 4 });
});

test("[CV64] a stop works when the supervisor is dead, and says how it knows", async () => {
  const ground = await makeGround();
  await ground.spawn("a", "--", "sh", "-c", "sleep 300 && : left-4");
  ground.killSupervisor();
  const stopped = await ground.call(["stop", "a", "--yes", "--json"]);
  expect(stopped.json().data.receipt).toMatchObject({ stopped_count: 1, survivor_count: 0 });
  expect(ground.processesWith("left-4")).toEqual([]);
  expect(await namesOf(ground)).toEqual([]);
});

test("[CV64] a stop works when the supervisor hangs", async () => {
  const ground = await makeGround();
  await ground.spawn("a", "--", "sh", "-c", "sleep 300 && : left-cv64-by-a-dead-supervisor");
  ground.freezeSupervisor();
  const stopped = await ground.call(["stop", "a", "--grace", "0s", "--yes", "--json"]);
  expect(stopped.json().data.receipt).toMatchObject({ stopped_count: 1, survivor_count: 0 });
  expect(ground.processesWith("left-cv64-by-a-dead-supervisor")).toEqual([]);
});

test("[CV65] on a terminal a stop asks, and does nothing without a yes", async () => {
  needsProgram("script");
  const ground = await makeGround();
  await ground.spawn("a");
  const no = await onTerminal(ground, "stop a", "n");
  expect(no).toContain("1 worker will end:");
  expect(no).toContain("Stop them? [y/N]");
  expect(no).toContain("nothing was done");
  expect(await namesOf(ground)).toEqual(["a"]);
  expect(await onTerminal(ground, "stop a", "y")).toContain("stopped 1 worker");
  expect(await namesOf(ground)).toEqual([]);
});

test("[CV65] on a terminal a kill asks for the fleet's name", async () => {
  needsProgram("script");
  const ground = await makeGround();
  await ground.spawn("a");
  expect(await onTerminal(ground, "kill --reason drill", "y")).toContain("nothing was done");
  expect(await namesOf(ground)).toEqual(["a"]);
  expect(await onTerminal(ground, "kill --reason drill", "site")).toContain("killed 1 worker");
});

/** Calls `stint` on a terminal of its own, types one line when it is asked, and answers it all. */
async function onTerminal(ground: Ground, words: string, typed: string): Promise<string> {
  const bin = await builtBin();
  const command = `${process.execPath} ${bin} ${words}`;
  const child = spawnChild("script", ["-qefc", command, "/dev/null"], {
    cwd: ground.dir,
    env: { ...process.env, ...ground.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const before = shown;
    shown += chunk.toString("utf8");
    const isAsked = /\? (\[y\/N\]|\(type [^)]*\)) /;
    if (isAsked.test(shown) && !isAsked.test(before)) child.stdin.write(`${typed}\n`);
  });
  await once(child, "close");
  return shown;
}
