// Worktrees with ground of their own: whoever asks without a word of which means where he stands.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { InputError, openFleet, sqlite } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { FROM_SOURCE } from "../../support/from-source.ts";
import { needsProgram } from "../../support/require-all.ts";
import type { Reply } from "../fixtures/ask.ts";
import { makeRig, type Rig } from "../rig.ts";

const PROGRAM = new URL("../fixtures/hold.ts", import.meta.url).pathname;

/** A fleet in a repository with two working trees, each with ground of its own. */
async function makeTrees(): Promise<{ readonly rig: Rig; readonly tree: string }> {
  needsProgram("git");
  const rig = await makeRig();
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  const git = (...args: readonly string[]) =>
    execFileSync("git", [...identity, ...args], { cwd: rig.folder, stdio: "pipe" });
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "x");
  const tree = join(rig.folder, "trees", "other");
  git("worktree", "add", "-q", tree);
  mkdirSync(join(tree, "src"));
  const lanes = [{ name: "api", region: "src/api/**" }];
  await rig.fleet.enactGround({ lanes, worktrees: "own_ground" });
  return { rig, tree };
}

interface Given {
  readonly worktree?: string;
  readonly region: readonly string[];
}

function leaseIn({ body }: Reply): Given {
  const { data } = body as unknown as { data: { sighting: { lease: Given } } };
  return data.sighting.lease;
}

test("[WP27] a request over a socket is meant where its giver stands", async () => {
  const { rig, tree } = await makeTrees();
  await rig.supervise();
  const worker = await rig.start(["/bin/sleep", "600"]);
  const give = async (data: object, so: object): Promise<readonly Reply[]> => {
    const command = { kind: "lease.acquire", data };
    const holder = { worker };
    const order = (asked: object) => ({
      id: `c-${randomUUID()}`,
      command: { ...command, data: asked },
      ...so,
    });
    const named = { ...data, holder, ttl_ms: 60_000 };
    const by = { kind: "operator", via: "cli" };
    return [
      await rig.worker(worker, "/v1/commands", order(named)),
      await rig.operator("/v1/commands?sights=true", { ...order(named), by }),
    ];
  };
  for (const reply of await give({ region: ["src/**"] }, { cwd: join(tree, "src") })) {
    expect(leaseIn(reply)).toMatchObject({
      worktree: "other",
      region: ["worktree/other/src/**"],
    });
  }
  const asked = { paths: ["src/a"], cwd: tree };
  const checked = await rig.worker(worker, `/v1/workers/${worker}/paths`, asked);
  expect(checked.body.data?.["paths"]).toMatchObject([{ reason: "held_by_you" }]);
  for (const reply of await give({ lanes: ["api"] }, { cwd: rig.folder }))
    expect(leaseIn(reply)).toMatchObject({
      worktree: "main",
      region: ["worktree/main/src/api/**"],
    });
  // Who names one means it, and what is no file is shared.
  for (const reply of await give({ region: ["docs/**"], worktree: "other" }, { cwd: rig.folder }))
    expect(leaseIn(reply)).toMatchObject({ worktree: "other" });
  for (const reply of await give({ region: ["port:80"] }, {}))
    expect(leaseIn(reply)).toMatchObject({ region: ["port:80"] });
  const before = (await rig.entries()).length;
  for (const nowhere of [{}, { cwd: "/" }])
    for (const ground of [{ region: ["x/**"] }, { lanes: ["api"] }, { region: ["*:x"] }])
      for (const { status, body } of await give(ground, nowhere)) {
        expect([status, body.error?.code]).toEqual([400, "usage"]);
        expect(body.error?.message).toMatch(/^lease\.acquire\.worktree must be the name of a work/);
      }
  for (const { body } of await give({ region: ["x"], worktree: "othr" }, { cwd: tree }))
    expect(body.error?.message).toBe(
      "lease.acquire.worktree must be one of the repository's worktrees, " +
        '"main", "other", got "othr"; did you mean "other"?',
    );
  for (const { body } of await give({ region: ["x"] }, { cwd: "src" }))
    expect(body.error?.message).toContain("order.cwd must be an absolute path");
  expect(await rig.entries()).toHaveLength(before);
});

test("[WP27] a worker's lease is where its own check looks, supervised or not", async () => {
  const { rig, tree } = await makeTrees();
  await rig.supervise();
  const fleet = await openFleet({ store: sqlite({ dir: rig.stateDir }), steward: false });
  onTestFinished(() => fleet.close());
  for (const supervisor of ["use", "none"] as const) {
    const from = supervisor === "use" ? fleet : rig.fleet;
    const run = [process.execPath, FROM_SOURCE, PROGRAM] as const;
    const worker = await from.start({ name: supervisor, run, cwd: tree });
    const { state, end } = await worker.ended();
    expect(end?.reason).toBe("completed");
    expect(state).toEqual({
      worktree: "other",
      reasons: ["held_by_you", "free"],
      resolved: "worktree/other/src/a",
    });
  }
});

test("[WP27] the library means the current folder, and guesses nothing", async () => {
  const { rig, tree } = await makeTrees();
  const cwd = process.cwd();
  onTestFinished(() => process.chdir(cwd));
  process.chdir(tree);
  const lease = await rig.fleet.acquire({ region: "src/**", holder: "anna" });
  expect(lease.view()).toMatchObject({ worktree: "other" });
  const [mine] = await rig.fleet.check("src/a", { holder: "anna" });
  expect(mine?.reason).toBe("held_by_you");
  process.chdir(rig.folder);
  const [elsewhere] = await rig.fleet.check("src/a", { holder: "anna" });
  expect(elsewhere?.reason).toBe("free");
  const data = {
    region: ["src/**"],
    holder: { worker: "w-aaaaaaaaaaaaaaaa" },
    ttl_ms: 60_000,
  };
  const plain = await rig.fleet.submit({ kind: "lease.acquire", data });
  // The rules were asked on the main worktree, and looked at the holder first.
  expect(plain).toMatchObject({ refusal: { code: "worker_unknown" } });
  process.chdir("/");
  const lost = rig.fleet.acquire({ region: "src/**", holder: "anna" });
  await expect(lost).rejects.toThrow(/^options\.worktree must be the name of a worktree/);
  await expect(rig.fleet.submit({ kind: "lease.acquire", data })).rejects.toThrow(InputError);
  const named = await rig.fleet.acquire({ region: "src/**", holder: "bob", worktree: "main" });
  expect(named.view().worktree).toBe("main");
  const none = rig.fleet.acquire({ region: "lib/**", holder: "bob", worktree: "mian" });
  await expect(none).rejects.toThrow(
    /^options\.worktree must be one of the repository's worktrees/,
  );
});
