import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin, type Answer, type Called } from "../support/cli.ts";
import { acquire, makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const LANES = `
[lanes.api]
paths = ["src/api/**"]
aliases = ["http"]
description = "The interface"

[lanes.tests]
paths = ["tests/**"]
slots = 2
`;

const asked = (ground: Ground, ...words: readonly string[]): Promise<Called> =>
  ground.call([...words, "--json"]);

async function data(ground: Ground, ...words: readonly string[]): Promise<Answer> {
  return (await ground.done([...words, "--json"])).json().data;
}

describe("a lease's life", () => {
  test("[GV8] it is narrowed, taken over under a new fence, and revoked", async () => {
    const ground = await makeGround();
    const { lease_id: id, token, fence } = await acquire(ground, "ann", "--region", "src/**");
    const words = ["lease", "narrow", id, "--token", token, "--region"];
    const narrowed = await data(ground, ...words, "src/api/**", "--exclude", "src/api/gen/**");
    expect(narrowed).toMatchObject({ region: ["src/api/**", "!src/api/gen/**"], fence });
    const wider = (await asked(ground, ...words, "src/**")).json();
    expect(wider.refusal).toMatchObject({ code: "rights_exceeded", facts: { field: "region" } });

    const adopt = ["lease", "adopt", id, "--holder", "bob"];
    const taken = await data(ground, ...adopt, "--token", token);
    expect(taken).toMatchObject({
      lease_id: id,
      holder: "bob",
      taken_over: { holder: "ann", fence, orphan: false },
    });
    expect(taken.fence).toBeGreaterThan(fence);
    expect(taken.token).not.toBe(token);
    // Who had it is told at the next call whose it was, and that it is gone.
    const late = (await asked(ground, "lease", "renew", id, "--token", token)).json();
    expect(late.refusal).toMatchObject({
      code: "holder_mismatch",
      facts: { holder: "bob", taken_over: { holder: "ann" } },
    });
    const orphan = (
      await asked(ground, ...adopt.slice(0, 3), "--holder", "eve", "--orphan")
    ).json();
    expect(orphan.refusal).toMatchObject({ code: "holder_mismatch" });

    const revoke = ["lease", "revoke", id, "--reason", "drill"];
    const unsaid = await ground.call(revoke);
    expect(unsaid).toMatchObject({ exit: 2 });
    expect(unsaid.stderr).toMatch(/1 lease will end:\n {2}l-\d+ {2}bob: src\/api.+--yes must be/s);
    expect(await data(ground, ...revoke, "--yes")).toMatchObject({ revoked: [id] });
    const again = await asked(ground, ...revoke, "--yes");
    expect(again.json()).toMatchObject({ refusal: { code: "lease_ended" } });
  });

  test("[GV9] it is shown to its end and after it, and listed while it lives", async () => {
    const ground = await makeGround();
    const none = await ground.done(["lease", "ls"]);
    expect(none.stdout).toContain("no lease is held");
    const { lease_id: id, token } = await acquire(ground, "ann", "--region", "a", "--key", "k");
    expect(await data(ground, "lease", "show", id)).toMatchObject({
      lease: { lease_id: id, holder: "ann", key: "k", is_live: true },
    });
    expect(JSON.stringify(await data(ground, "lease", "show", id))).not.toContain(token);
    expect((await ground.done(["lease", "show", id])).stdout).toMatch(/^status +live$/m);
    expect((await ground.done(["lease", "ls"])).stdout).toMatch(
      new RegExp(`^LEASE .+EXPIRES IN\n${id} +ann +exclusive +a +\\d+ +\\d+m \\d+s\n$`),
    );
    expect((await ground.done([])).stdout).toContain(`1 lease held: ${id} ann (a)`);
    expect(await data(ground)).toMatchObject({ lease_count: 1 });
    await ground.done(["lease", "release", id, "--token", token]);
    expect(await data(ground, "lease", "ls")).toEqual({ leases: [], lapsing: [] });
    const shown = await data(ground, "lease", "show", id);
    expect(shown).toMatchObject({ lease: { is_live: false, ended: { how: "released" } } });
    expect((await ground.done(["lease", "show", id])).stdout).toMatch(
      /^ended +released by operator .+; .+ entry/m,
    );
    const all = await data(ground, "lease", "ls", "--all");
    expect(all.leases).toMatchObject([{ lease_id: id, ended: { how: "released" } }]);
    const lapsing = await acquire(ground, "bob", "--region", "b", "--ttl", "1s");
    await expect
      .poll(async () => (await data(ground, "lease", "ls")).leases, { timeout: 20_000 })
      .toEqual([]);
    const late = await asked(ground, "lease", "renew", lapsing.lease_id, "--token", lapsing.token);
    expect(late.json()).toMatchObject({ refusal: { code: "lease_ended" } });
  });

  test("[GV10] part of a worker's lease is lent, and an orphan is taken over", async () => {
    const ground = await makeGround();
    const root = await ground.spawn("root");
    const child = await ground.spawn("child", "--parent", "root");
    const { lease_id: id } = await acquire(ground, root, "--region", "src/**", "--ttl", "1h");
    const split = ["lease", "split", id, "--holder", root, "--region", "src/a/**"];
    const lent = await data(ground, ...split, "--to", child);
    expect(lent).toMatchObject({ holder: child, lender: id, region: ["src/a/**"] });
    const outside = await asked(ground, ...split, "--to", "ann");
    expect(outside.json().error.message).toMatch(/^--to must be a live worker/);
    const revoking = await ground.call(["lease", "revoke", id, "--reason", "drill"]);
    expect(revoking.stderr).toContain(`2 leases will end:`);
    const living = await asked(ground, "lease", "adopt", id, "--holder", "ann", "--orphan");
    expect(living.json()).toMatchObject({ refusal: { code: "holder_mismatch" } });
    await ground.call(["stop", "root", "--tree", "--yes", "--grace", "0s"]);
    expect((await ground.done(["lease", "ls"])).stdout).toMatch(/orphaned/);
    const taken = await data(ground, "lease", "adopt", id, "--holder", "ann", "--orphan");
    expect(taken).toMatchObject({ holder: "ann", taken_over: { holder: root, orphan: true } });
  });
});

test("[GV11] lanes are listed with who holds them and who has announced work", async () => {
  const ground = await makeGround({ config: LANES });
  const { lease_id: id } = await acquire(ground, "ann", "--lane", "tests");
  const announce = ["lane", "announce", "http", "--holder", "bob", "--note", "soon\u001b[2J"];
  expect(await data(ground, ...announce, "--run-id", "r")).toEqual({ lane: "http", holder: "bob" });
  const { lanes } = await data(ground, "lane", "ls");
  expect(lanes).toMatchObject([
    {
      name: "api",
      region: ["src/api/**"],
      slots: null,
      aliases: ["http"],
      description: "The interface",
      leases: [],
      announcements: [{ holder: "bob", note: "soon\u001b[2J", run_id: "r" }],
    },
    { name: "tests", slots: 2, slots_held: 1, leases: [{ lease_id: id, holder: "ann" }] },
  ]);
  const { stdout } = await ground.done(["lane", "ls"]);
  expect(stdout).toMatch(/^tests +1 of 2 +ann \(\d+m.+\) +tests\/\*\*$/m);
  expect(stdout).toMatch(/^api: announced by bob .+: soon\\u\{1b\}\[2J$/m);
  const unknown = await asked(ground, "lane", "announce", "apj", "--holder", "bob");
  expect(unknown.json().refusal).toMatchObject({ code: "lane_unknown", facts: { nearest: "api" } });
});

test("[GV12] a halt is asked for on record, and nothing is stopped or executed", async () => {
  const ground = await makeGround();
  const { lease_id: id } = await acquire(ground, "ann", "--region", "a");
  const words = ["halt", "ci/7", "--reason", "superseded", "--propose", "touch halted"];
  await ground.done([...words, "--lease", id, "--run-id", "r"]);
  const { stdout } = await ground.done(["journal", "export", "-"]);
  const entries = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).entry);
  expect(entries.findLast((entry) => entry?.kind === "halt.requested")).toMatchObject({
    actor: { kind: "operator", via: "cli" },
    data: {
      handle: "ci/7",
      reason: "superseded",
      proposed: "touch halted",
      lease: id,
      run_id: "r",
    },
  });
  expect(await data(ground, "lease", "show", id)).toMatchObject({ lease: { is_live: true } });
});

test("[GV13] a check answers for each path, by the exit and by the list", async () => {
  const ground = await makeGround();
  mkdirSync(join(ground.dir, "src"));
  writeFileSync(join(ground.dir, "src/a.ts"), "");
  symlinkSync("src/a.ts", join(ground.dir, "link"));
  symlinkSync("/etc/hostname", join(ground.dir, "out"));
  const { lease_id, fence, expires_at_ms } = await acquire(ground, "ann", "--region", "src/**");
  await acquire(ground, "ann", "--region", "lib/**", "--shared");
  const check = (holder: string, ...words: readonly string[]): Promise<Called> =>
    asked(ground, "lease", "check", ...words, "--holder", holder);
  const own = await check("ann", "src/a.ts", "link", "src/../src/new.ts", "b");
  expect(own.exit).toBe(0);
  const mine = { allowed: true, reason: "held_by_you", lease_id, holder: "ann", fence };
  expect(own.json().data.paths).toEqual([
    { path: "src/a.ts", resolved: "src/a.ts", ...mine, expires_at_ms },
    { path: "link", resolved: "src/a.ts", ...mine, expires_at_ms },
    { path: "src/../src/new.ts", resolved: "src/new.ts", ...mine, expires_at_ms },
    {
      path: "b",
      resolved: "b",
      allowed: true,
      reason: "free",
      lease_id: null,
      holder: null,
      fence: null,
      expires_at_ms: null,
    },
  ]);
  const table: readonly (readonly [string, string, readonly string[]])[] = [
    ["bob", "held_by_other", ["src/a.ts"]],
    ["bob", "free", ["b", "--strict"]],
    ["ann", "shared_only", ["lib/x"]],
    ["ann", "outside_repository", ["out"]],
    ["ann", "outside_repository", ["../elsewhere"]],
    ["ann", "fence_stale", ["src/a.ts", "--fence", "1"]],
    ["ann", "lapsed", ["b", "--fence", String(fence)]],
  ];
  for (const [holder, reason, words] of table) {
    const refused = await check(holder, ...words);
    const { code, facts } = refused.json().refusal;
    expect({ exit: refused.exit, code }).toEqual({ exit: 3, code: "not_writable" });
    expect(facts.paths).toMatchObject([{ path: words[0], allowed: false, reason }]);
    expect(Object.keys(facts.paths[0]).toSorted()).toEqual(
      Object.keys(own.json().data.paths[0]).toSorted(),
    );
  }
  const deeper = await ground.call(["lease", "check", "a.ts", "--holder", "ann"], {
    cwd: join(ground.dir, "src"),
  });
  const isMine = expect.stringMatching(/a\.ts +yes +held_by_you/);
  expect(deeper).toMatchObject({ exit: 0, stdout: isMine });
  const person = await ground.call(["lease", "check", "src/a.ts", "--holder", "bob"]);
  expect(person.stderr).toContain(`"src/a.ts" is held by another ("ann", ${lease_id}, fence`);
});
