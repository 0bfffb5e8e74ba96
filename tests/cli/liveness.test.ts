import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { builtBin, type Answer } from "../support/cli.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 60_000, interval: 200 };

const CONFIG = `
[contract]
allow_degraded = ["same_user", "network"]

[contract.liveness]
grace = "0s"
progress_within = "1h"

[lanes.api]
paths = ["src/api/**"]

[lanes.docs]
paths = ["docs/**"]
`;

async function judge(ground: Ground, ...more: readonly string[]): Promise<readonly Answer[]> {
  return (await ground.done(["liveness", "--json", ...more])).json().data.holders;
}

test("[LQ7] `stint liveness` shows who gets anywhere, by which rule, and why", async () => {
  const ground = await makeGround({ config: CONFIG });
  expect((await ground.done(["liveness"])).stdout).toBe("no worker lives, and no lease is held\n");
  const id = await ground.spawn("one");
  await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
  const [worker, party] = await judge(ground);
  expect(worker).toMatchObject({
    holder: id,
    holder_kind: "worker",
    name: "one",
    verdict: "spinning",
    rule: "no_progress",
    seen: "alive",
    progress: null,
    leases: [],
  });
  expect(party).toMatchObject({
    holder: "ada",
    holder_kind: "outside",
    // No repository, so nobody can say that nothing was committed.
    verdict: "unknown",
    rule: "no_evidence",
    commits: { known: false, problem: "the fleet is about no repository" },
    leases: [{ lane: "api", mode: "exclusive" }],
  });
  const charge = { kind: "budget.charge", data: { worker: id, amounts: { units: { tokens: 2 } } } };
  await ground.done(["submit", "-"], { stdin: JSON.stringify(charge) });
  const [charged, ...others] = await judge(ground, "one");
  expect(others).toEqual([]);
  expect(charged).toMatchObject({
    verdict: "advancing",
    rule: "progress",
    progress: { kind: "units", what: "tokens 2" },
  });
  const table = (await ground.done(["liveness"])).stdout;
  expect(table).toMatch(/^HOLDER +NAME +VERDICT +BECAUSE/);
  expect(table).toMatch(new RegExp(`^${id} +one +advancing +it reported units \\d+ s ago`, "m"));
  const portrait = (await ground.done(["liveness", id])).stdout;
  expect(portrait).toMatch(/^own progress +units: tokens 2, .* ago, entry \d+$/m);
  expect(portrait).toMatch(/^process +seen alive$/m);
  const nobody = await ground.call(["liveness", "nobody"]);
  expect(nobody).toMatchObject({ exit: 4, stdout: "" });
  expect(nobody.stderr).toContain('none is "nobody"');
});

test("[LQ8] commits to the ground of a lease are its holder's progress", async () => {
  const ground = await makeGround({ config: CONFIG });
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", ground.dir, "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
    });
  git("init", "--quiet");
  const commit = (path: string): void => {
    mkdirSync(join(ground.dir, path, ".."), { recursive: true });
    writeFileSync(join(ground.dir, path), "x");
    git("add", path);
    git("commit", "--quiet", "--message=x");
  };
  commit("src/api/old.ts");
  for (const lane of ["api", "docs"])
    await ground.done(["lease", "acquire", "--lane", lane, "--holder", `on ${lane}`]);
  const verdicts = async (): Promise<readonly string[]> =>
    (await judge(ground)).map(({ holder, verdict }) => `${holder} ${verdict}`);
  expect(await verdicts()).toEqual(["on api spinning", "on docs spinning"]);
  // Commits are dated to the second: those of the second of the grant are not told apart.
  let count = 0;
  await vi.waitFor(async () => {
    commit(`src/api/new-${(count += 1)}.ts`);
    expect(await verdicts()).toEqual(["on api advancing", "on docs spinning"]);
  }, polling);
  const [api] = await judge(ground, "on api");
  expect(api.progress).toMatchObject({ kind: "commit", seq: null });
  expect(api.progress.what).toMatch(/^[0-9a-f]+ src\/api\/new-\d+\.ts$/);
});

test("[LQ9] every verb about liveness finds the fleet that others do (leases H18)", async () => {
  const ground = await makeGround({ config: CONFIG });
  await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
  const inside = join(ground.dir, "src/deep");
  mkdirSync(inside, { recursive: true });
  const plan = ["supervise", "--plan", "--target", "2", "--json"];
  const ways = [
    { cwd: ground.dir, fleet: [] },
    { cwd: inside, fleet: [] },
    { cwd: "/", fleet: ["--fleet", ground.dir] },
    { cwd: "/", fleet: ["--fleet", ground.stateDir] },
  ];
  for (const { cwd, fleet } of ways) {
    const judged = await ground.done(["liveness", "--json", ...fleet], { cwd });
    expect(judged.json().data.holders.map(({ holder }: Answer) => holder)).toEqual(["ada"]);
    const planned = (await ground.done([...plan, ...fleet], { cwd })).json().data.plan;
    const starts = planned.actions.filter(({ kind }: Answer) => kind === "start");
    expect(starts.map(({ lane }: Answer) => lane)).toEqual(["docs"]);
    const watched = await ground.done(["watch", "--once", "--json", ...fleet], { cwd });
    expect(watched.lines()[0]).toMatchObject({ kind: "verdict", holder: "ada" });
  }
});

test("[LQ10] a worker whose process is gone is stalled at once", async () => {
  const ground = await makeGround({ config: CONFIG });
  const id = await ground.spawn("one");
  const charge = { kind: "budget.charge", data: { worker: id, amounts: { units: { tokens: 2 } } } };
  await ground.done(["submit", "-"], { stdin: JSON.stringify(charge) });
  const [{ pid }] = (await ground.done(["workers", "--json"])).json().data.workers;
  // Nobody is there to see its exit.
  ground.freezeSupervisor();
  process.kill(pid, "SIGKILL");
  await vi.waitFor(async () => {
    const [worker] = await judge(ground, id);
    expect(worker).toMatchObject({ verdict: "stalled", rule: "gone", seen: "gone", sure: true });
  }, polling);
});

test("[LQ11] a compaction of the journal changes no verdict (leases H19)", async () => {
  const ground = await makeGround({ config: CONFIG });
  const id = await ground.spawn("one");
  await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
  const charge = { kind: "budget.charge", data: { worker: id, amounts: { units: { tokens: 2 } } } };
  await ground.done(["submit", "-"], { stdin: JSON.stringify(charge) });
  const told = async (): Promise<readonly unknown[]> =>
    (await judge(ground)).map(({ holder, verdict, rule, progress, leases }) => {
      return { holder, verdict, rule, progress, leases };
    });
  const before = await told();
  expect(before).toMatchObject([{ holder: id, rule: "progress" }, { holder: "ada" }]);
  const compacted = await ground.done(["journal", "compact", "--keep-entries", "1", "--json"]);
  expect(compacted.json().data.moved_count).toBeGreaterThan(5);
  expect(await told()).toEqual(before);
});
