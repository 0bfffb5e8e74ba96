import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { makeGround } from "./ground.ts";

let bin = "";
beforeAll(async () => void (bin = await builtBin()), 120_000);

const NODE = process.execPath;

test("[CV50] a spawned command outlives its caller, and is known by its id", async () => {
  const ground = await makeGround();
  const program = ["sh", "-c", "echo begun; sleep 300 && : spawned-1"];
  const spawned = await ground.done(["spawn", "--json", "--name", "api", "--", ...program]);
  const { worker_id: id } = spawned.json().data;
  expect(ground.processesWith("spawned-1").length).toBeGreaterThan(0);
  const [row] = (await ground.call(["workers", "--json"])).json().data.workers;
  expect(row).toMatchObject({ id, name: "api", status: "running" });
  const shown = await ground.call(["worker", "show", "api", "--json"]);
  expect(shown.json().data.worker).toMatchObject({ id, network: "controller" });
  const log = (): string => readFileSync(join(ground.stateDir, "output", `${id}.jsonl`), "utf8");
  await expect.poll(log).toContain("begun");
});

test("[CV51] a worker's own spawn makes a child of it, and gives it no other rights", async () => {
  const ground = await makeGround();
  const stintIn = `${NODE} ${bin}`;
  const program = [
    `${stintIn} spawn --json --name child -- sleep 300`,
    `${stintIn} worker show self --json`,
    `${stintIn} worker note self "from within" --json`,
    `${stintIn} stop --all --yes --json`,
    `${stintIn} run --json --parent w-aaaaaaaaaaaaaaaa -- true`,
    `${stintIn} run --json -- sh -c 'exit 7'`,
  ].join("\n");
  const ran = await ground.call(["run", "--name", "parent", "--", "sh", "-c", program]);
  const [child, self, note, stop, other, grandchild] = ran.lines();
  expect(child.data.worker_id).toMatch(/^w-/);
  expect(self.data.worker).toMatchObject({ name: "parent", status: "running" });
  expect(note.data.worker_id).toBe(self.data.worker.id);
  expect(stop.refusal.code).toBe("not_authorised");
  expect(other.error.code).toBe("usage");
  expect(grandchild.data.outcome).toMatchObject({ exit_code: 7 });
  expect(ran.exit).toBe(7);
  const all = (await ground.call(["workers", "--all", "--json"])).json().data.workers;
  const known = all.find(({ id }: { readonly id: string }) => id === child.data.worker_id);
  expect(known).toMatchObject({ name: "child", parent_id: self.data.worker.id, depth: 1 });
});

test("[CV52] where no network is named, a default gives way to a narrower parent", async () => {
  const ground = await makeGround();
  const run = `${NODE} ${bin} run --json`;
  const inner = `${run} --name inner -- true; ${run} --network open -- true`;
  await ground.spawn("outer", "--", "sh", "-c", `${inner}; sleep 300`);
  const logs = async (): Promise<string> =>
    (await ground.call(["logs", "outer", "--stream", "stdout"])).stdout;
  await expect.poll(async () => (await logs()).trim().split("\n").length).toBe(2);
  const [granted, refused] = (await logs())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(granted.data).toMatchObject({ outcome: { exit_code: 0 } });
  // What is asked for by name is refused, not narrowed.
  expect(refused.refusal).toMatchObject({ code: "rights_exceeded", facts: { field: "network" } });

  // The operator's own default gives way, too.
  const below = ["--parent", "outer", "--name", "operators", "--", "true"];
  expect((await ground.call(["run", "--json", ...below])).exit).toBe(0);
  const { workers } = (await ground.done(["workers", "--all", "--json"])).json().data;
  for (const name of ["inner", "operators"]) {
    const { id } = workers.find((one: { readonly name: string }) => one.name === name);
    const shown = await ground.done(["worker", "show", id, "--json"]);
    expect(shown.json().data.worker.network).toBe("controller");
  }
});
