import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { makeGround } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

test("[CV22] a worker's page shows it alive and dead, by id, prefix and name", async () => {
  const ground = await makeGround();
  const id = await ground.spawn("a");
  for (const reference of [id, id.slice(0, 8), "a"]) {
    const shown = await ground.call(["worker", "show", reference, "--json"]);
    expect(shown.json().data.worker).toMatchObject({ id, status: "running", end: null });
  }
  expect((await ground.call(["worker", "show", "a"])).stdout).toMatch(/^status +running$/m);
  await ground.call(["stop", "a", "--yes"]);
  const dead = (await ground.call(["worker", "show", id, "--json"])).json().data.worker;
  expect(dead).toMatchObject({ id, status: "stopped", end: { reason: "requested" } });
  for (const reference of [id.slice(0, 8), "a"]) {
    const shown = await ground.call(["worker", "show", reference, "--json"]);
    expect(shown.json().data.worker).toMatchObject({ id, status: "stopped" });
  }
  const none = await ground.call(["worker", "show", "w-aaaaaaaaaaaaaaaa", "--json"]);
  expect(none.exit).toBe(4);
  expect(none.json().refusal.code).toBe("worker_unknown");
});

test("[CV28] a worker's page names its program and the reason that was given", async () => {
  const ground = await makeGround();
  await ground.done(["run", "--name", "plain", "--", "sh", "-c", "exit 0 # secret"]);
  const plain = (await ground.done(["worker", "show", "plain"])).stdout;
  expect(plain).toMatch(/^program +sh \(sha256:[0-9a-f]{16} of the whole command\)$/m);
  expect(plain).not.toMatch(/^reason|secret/m);
  const why = ["--reason", "ticket 7; stint run it"];
  await ground.done(["run", "--name", "told", ...why, "--", "sh", "-c", "exit 0"]);
  const told = (await ground.done(["worker", "show", "told"])).stdout;
  expect(told).toMatch(/^program +sh \(sha256:/m);
  expect(told).toMatch(/^reason +ticket 7; stint run it$/m);
  const { reason } = (await ground.done(["worker", "show", "told", "--json"])).json().data.worker;
  expect(reason).toMatch(/^ticket 7; stint run it; stint run sh sha256:[0-9a-f]{16}$/);
});

test("[CV23] notes and checkpoints are on record and found again", async () => {
  const ground = await makeGround();
  const id = await ground.spawn("a");
  const noted = await ground.call(["worker", "note", "a", "meant to run", "--json"]);
  expect(noted.json()).toMatchObject({ ok: true, data: { worker_id: id } });
  const kept = await ground.call(["worker", "checkpoint", id, "--state", '{"done":17}', "--json"]);
  expect(kept.json().seq).toBeGreaterThan(noted.json().seq);
  const shown = await ground.call(["worker", "show", id, "--json"]);
  expect(shown.json().data.worker.state).toEqual({ done: 17 });
  const wrong = await ground.call(["worker", "checkpoint", id, "--state", "[1]"]);
  expect(wrong.exit).toBe(2);
  expect(wrong.stderr).toContain("--state must be a JSON object");
  const unknown = await ground.call(["worker", "note", "w-aaaaaaaaaaaaaaaa", "x", "--json"]);
  expect(unknown.exit).toBe(4);
});

test("[CV24] a worker in quarantine stands still until it is lifted", async () => {
  const ground = await makeGround();
  const id = await ground.spawn(
    "a",
    "--",
    "sh",
    "-c",
    "while :; do date +%s%N > tick; sleep 0.02; done",
  );
  const { readFileSync } = await import("node:fs");
  const tick = (): string => readFileSync(`${ground.dir}/tick`, "utf8");
  await expect.poll(() => tick().length, { timeout: 10_000 }).toBeGreaterThan(0);
  await ground.done(["worker", "quarantine", "a", "--reason", "odd", "--json"]);
  const row = (await ground.call(["workers", "--json"])).json().data.workers[0];
  expect(row).toMatchObject({ id, quarantined: true });
  const before = tick();
  await ground.call(["workers"]);
  expect(tick()).toBe(before);
  await ground.done(["worker", "unquarantine", "a", "--resolution", "fine"]);
  await expect.poll(tick, { timeout: 10_000 }).not.toBe(before);
  const twice = await ground.call(["worker", "unquarantine", "a", "--json"]);
  expect(twice.json().refusal.code).toBe("worker_not_quarantined");
});

test("[CV67] a quarantine says how many it is of, and of who has ended who that was", async () => {
  const ground = await makeGround();
  const [root, gone] = [await ground.spawn("root"), await ground.spawn("gone")];
  const child = await ground.spawn("child", "--parent", "root");
  await ground.spawn("other");
  const alone = await ground.done(["worker", "quarantine", "other", "--reason", "odd"]);
  expect(alone.stdout).toMatch(/^w-\w+ is in quarantine\n$/);
  const tree = ["worker", "quarantine", "root", "--reason", "odd", "--tree"];
  const said = await ground.done(tree);
  expect(said.stdout).toContain(`${root} and 1 worker below it are in quarantine`);
  const rows = (await ground.done(["worker", "unquarantine", child])).stdout;
  expect(rows).toContain(`${child} runs again`);
  await ground.done(["worker", "unquarantine", "root"]);
  const told = (await ground.done([...tree, "--json"])).json().data;
  expect(told).toEqual({ worker_id: root, quarantined: [root, child] });
  await ground.done(["stop", "gone", "--yes"]);
  for (const verb of ["quarantine", "unquarantine"]) {
    const more = verb === "quarantine" ? ["--reason", "odd"] : [];
    const late = await ground.call(["worker", verb, "gone", ...more]);
    expect(late.exit).toBe(3);
    expect(late.stderr).toMatch(new RegExp(`${gone} \\(gone\\) ended 20[-0-9]+ [0-9:]+Z: req`));
  }
});

test("[CV25] a write-off needs a yes, ends the worker on record, and proves nothing", async () => {
  const ground = await makeGround();
  const id = await ground.spawn("a");
  const unsaid = await ground.call(["worker", "write-off", id, "--reason", "gone", "--json"]);
  expect(unsaid.exit).toBe(2);
  expect((await ground.call(["workers", "--json"])).json().data.workers).toHaveLength(1);
  await ground.done(["worker", "write-off", id, "--reason", "gone", "--yes"]);
  const dead = (await ground.call(["worker", "show", id, "--json"])).json().data.worker;
  expect(dead.end).toMatchObject({ grade: "declared", proven: false });
});

test("[LH10] what a worker hit is shown with it, live and dead, and told in words", async () => {
  const ground = await makeGround();
  const flood = "head -c 20000000 /dev/zero | tr '\\0' x; sleep 600";
  const id = await ground.spawn("loud", "--", "sh", "-c", flood);
  const show = async () => (await ground.done(["worker", "show", id])).stdout;
  const said = /^hit +its limit of 16 MiB of output \([\d.]+ MiB used\), once, last told \S+/m;
  await expect.poll(show, { timeout: 20_000 }).toMatch(said);
  const hit = { limit: "output_bytes", value: 16 * 2 ** 20, count: 1 };
  const alive = (await ground.call(["workers", "--json"])).json().data.workers[0];
  expect(alive).toMatchObject({ id, limits_hit: [{ ...hit, at_ms: expect.any(Number) }] });
  expect((await ground.done(["workers"])).stdout).toContain("running, hit output");
  await ground.done(["stop", "loud", "--yes"]);
  expect(await show()).toMatch(said);
  const dead = (await ground.done(["worker", "show", id, "--json"])).json().data.worker;
  expect(dead).toMatchObject({ status: "stopped", limits_hit: [hit] });
  const tail = (await ground.done(["journal", "tail", "--kind", "worker.limit_hit"])).stdout;
  expect(tail).toMatch(/worker w-\S+ \("loud"\) hit its limit of 16 MiB of output/);
  const none = await ground.spawn("quiet");
  expect((await ground.done(["worker", "show", none])).stdout).not.toMatch(/^hit/m);
});
