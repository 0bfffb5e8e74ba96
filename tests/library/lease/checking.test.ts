import { execFileSync } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, memory, sqlite, type Fleet, type PathVerdict } from "stint";
import { describe, expect, test } from "vitest";
import { openAt as openLenient, LENIENT, supervised } from "../../client/rig.ts";
import { FROM_SOURCE } from "../../support/from-source.ts";
import { needsProgram } from "../../support/require-all.ts";
import { entriesOf, makeFolder, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, refusedBy, SHORT_MS } from "./rig.ts";

function git(cwd: string, ...args: readonly string[]): void {
  needsProgram("git");
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  execFileSync("git", [...identity, ...args], { cwd, stdio: "pipe" });
}

/** A repository with one commit, and a fleet that is kept in it. */
async function openInRepository(): Promise<{ readonly root: string; readonly fleet: Fleet }> {
  const root = join(realpathSync(makeFolder()), "repo");
  mkdirSync(join(root, "src"), { recursive: true });
  git(root, "init", "-q");
  git(root, "commit", "-q", "--allow-empty", "-m", "x");
  return { root, fleet: await openAt(join(root, ".git/stint")) };
}

const CHECKER = fileURLToPath(new URL("./checker.case.ts", import.meta.url));

function openAt(dir: string): Promise<Fleet> {
  return openRoomy({ store: sqlite({ dir }), supervisor: "none" });
}

function said(verdicts: readonly PathVerdict[]): readonly (readonly [string, string, boolean])[] {
  return verdicts.map(({ path, reason, allowed }) => [path, reason, allowed]);
}

const HOLD = { holder: "anna", region: "src/**", ttlMs: LONG_MS } as const;

test("[WP20] a verdict names path, lease, holder, fence, end; nothing is written", async () => {
  const { root, fleet } = await openInRepository();
  const lease = await fleet.acquire(HOLD);
  const before = (await entriesOf(fleet)).length;
  const paths = ["src/../src/new.ts", "docs/a", "../out"];
  const anna = await fleet.check(paths, { holder: "anna", cwd: root });
  const held = {
    leaseId: lease.id,
    holder: "anna",
    fence: lease.fence,
    expiresAtMs: lease.expiresAtMs,
  };
  const nobody = { leaseId: null, holder: null, fence: null, expiresAtMs: null };
  expect(anna).toEqual([
    { path: paths[0], resolved: "src/new.ts", allowed: true, reason: "held_by_you", ...held },
    { path: paths[1], resolved: "docs/a", allowed: true, reason: "free", ...nobody },
    { path: paths[2], resolved: null, allowed: false, reason: "outside_repository", ...nobody },
  ]);
  expect(Object.isFrozen(anna[0])).toBe(true);
  const bob = await fleet.check(join(root, "src/a"), { holder: "bob" });
  expect(bob[0]).toMatchObject({ allowed: false, reason: "held_by_other", ...held });
  expect(await entriesOf(fleet)).toHaveLength(before);
});

test("[WP20] a fence is stale once its lease was handed over (leases H41)", async () => {
  const { root, fleet } = await openInRepository();
  const lease = await fleet.acquire(HOLD);
  const { fence } = lease;
  const asked = { holder: "anna", cwd: root };
  expect(said(await fleet.check(["docs/a"], { ...asked, strict: true }))).toEqual([
    ["docs/a", "free", false],
  ]);
  expect(said(await fleet.check(["src/a"], { ...asked, fence }))).toEqual([
    ["src/a", "held_by_you", true],
  ]);
  const taken = await lease.handOver({ to: "bob" });
  for (const holder of ["anna", "bob"])
    expect(said(await fleet.check("src/a", { holder, cwd: root, fence }))).toEqual([
      ["src/a", "fence_stale", false],
    ]);
  const now = await fleet.check("src/a", { holder: "bob", cwd: root, fence: taken.fence });
  expect(said(now)).toEqual([["src/a", "held_by_you", true]]);
});

test("[WP21] a lease that is over by now gives nothing, before any entry says so", async () => {
  const { root, fleet } = await openInRepository();
  const { id, fence } = await fleet.acquire({ ...HOLD, ttlMs: SHORT_MS });
  await fleet.acquire({ holder: "anna", region: "docs/**", ttlMs: LONG_MS });
  // Nothing is asked meanwhile but this, which looks at the clock of the journal each time.
  await expect
    .poll(async () => said(await fleet.check("src/a", { holder: "bob", cwd: root })), {
      timeout: 10_000,
    })
    .toEqual([["src/a", "free", true]]);
  const stale = await fleet.check("src/a", { holder: "anna", cwd: root, fence });
  expect(stale[0]).toMatchObject({ reason: "lapsed", allowed: false });
  const lapses = (await entriesOf(fleet)).filter(({ kind }) => kind === "lease.lapsed");
  expect(lapses.every(({ data }) => (data as { readonly lease: string }).lease === id)).toBe(true);
});

describe("[WP22] one ground is meant, whoever asks from wherever", () => {
  test("from two folders of one repository (leases H25)", async () => {
    const { root, fleet } = await openInRepository();
    await fleet.acquire(HOLD);
    const other = await openAt(join(root, ".git/stint"));
    const reasons = [
      ...(await fleet.check("src/a", { holder: "bob", cwd: root })),
      ...(await other.check("a", { holder: "bob", cwd: join(root, "src") })),
      ...(await other.check("../src/a", { holder: "bob", cwd: join(root, "docs") })),
    ].map(({ reason, resolved }) => [reason, resolved]);
    expect(reasons).toEqual(Array.from({ length: 3 }, () => ["held_by_other", "src/a"]));
  });

  test("from two worktrees, or each its own where it is so enacted (leases H25)", async () => {
    const { root, fleet } = await openInRepository();
    const tree = join(root, "../tree");
    git(root, "worktree", "add", "-q", tree);
    const shared = await fleet.acquire(HOLD);
    const check = (cwd: string): Promise<readonly PathVerdict[]> =>
      fleet.check("src/a", { holder: "bob", cwd });
    expect((await check(tree))[0]).toMatchObject({ reason: "held_by_other", resolved: "src/a" });
    await shared.release();
    await fleet.enactGround({ lanes: [], worktrees: "own_ground" });
    await fleet.acquire({ ...HOLD, worktree: "tree" });
    expect((await check(tree))[0]).toMatchObject({
      reason: "held_by_other",
      resolved: "worktree/tree/src/a",
    });
    expect((await check(root))[0]).toMatchObject({
      reason: "free",
      resolved: "worktree/main/src/a",
    });
  });

  test("by a link into what somebody holds, and not by one that leads out", async () => {
    const { root, fleet } = await openInRepository();
    await fleet.acquire(HOLD);
    symlinkSync("src", join(root, "alias"));
    symlinkSync("/etc/hosts", join(root, "out"));
    symlinkSync("../none/yet", join(root, "src/dangling"));
    const paths = ["alias/x", "out", "src/dangling", "src/../../repo/src/a"];
    expect(said(await fleet.check(paths, { holder: "bob", cwd: root }))).toEqual([
      ["alias/x", "held_by_other", false],
      ["out", "outside_repository", false],
      ["src/dangling", "free", true],
      ["src/../../repo/src/a", "held_by_other", false],
    ]);
  });

  test("by odd names, each as it is", async () => {
    const { root, fleet } = await openInRepository();
    await fleet.acquire({ holder: "an\u2028na\n", region: "src/*", ttlMs: LONG_MS });
    for (const name of ["a b", "a\nb", "a\u2028b", "!a", "[a]", "port:80", "e\u0301"]) {
      writeFileSync(join(root, "src", name), "");
      const [own] = await fleet.check(`src/${name}`, { holder: "an\u2028na\n", cwd: root });
      expect(own).toMatchObject({ reason: "held_by_you" });
      const [other] = await fleet.check(`src/${name}`, { holder: "anna", cwd: root });
      expect(other).toMatchObject({ reason: "held_by_other" });
    }
  });
});

test("[WP23] a root is needed where the store says none, and no other is taken", async () => {
  const folder = realpathSync(makeFolder());
  const fleet = await openRoomy({ store: memory() });
  const unsaid = await rejectionOf(fleet.check("a", { holder: "anna", cwd: folder }));
  expect(unsaid).toBeInstanceOf(InputError);
  expect(unsaid.message).toMatch(/^options\.root must be the folder whose files .*, got nothing$/);
  expect(said(await fleet.check("a", { holder: "anna", cwd: folder, root: folder }))).toEqual([
    ["a", "free", true],
  ]);
  const { root, fleet: kept } = await openInRepository();
  const other = await rejectionOf(kept.check("a", { holder: "anna", root: join(root, "src") }));
  expect(other.message).toBe(`options.root must be ${root}, got "${join(root, "src")}"`);
});

const WRONG: readonly [string, unknown, unknown, RegExp][] = [
  ["no paths", [], {}, /^paths must be at least one path, got \[\]$/],
  ["a path that is none", ["a", 5], {}, /^paths\[1\] must be a path.*, got 5$/],
  ["an empty path", "", {}, /^paths must be a path/],
  ["a NUL", ["a\0b"], {}, /^paths\[0\] must be a path/],
  [
    "too many paths",
    Array.from({ length: 10_001 }, () => "a"),
    {},
    /at most 10000 paths, got 10001/,
  ],
  ["no holder", "a", { holder: undefined }, /^options\.holder must be/],
  [
    "no fence",
    "a",
    { fence: 0 },
    /^options\.fence must be a fence: a whole number from 1 on, got 0$/,
  ],
  ["half a fence", "a", { fence: 1.5 }, /^options\.fence must be/],
  ["a strictness that is none", "a", { strict: "yes" }, /^options\.strict must be true or false/],
  ["a folder from nowhere", "a", { cwd: "src" }, /^options\.cwd must be an absolute path/],
  ["a misspelt option", "a", { fenc: 1 }, /fenc must be absent .* did you mean fence\?/],
];

test.each(WRONG)("[WP24] asking about %s is an InputError", async (...row) => {
  const [, paths, options, message] = row;
  const fleet = await openRoomy();
  const asked = fleet.check(paths as never, { holder: "anna", root: "/", ...(options as object) });
  const error = await rejectionOf(asked);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
});

test("[WP24] as many paths as are taken are judged, in their order", async () => {
  const { root, fleet } = await openInRepository();
  await fleet.acquire(HOLD);
  const paths = Array.from(
    { length: 10_000 },
    (_, index) => `${index % 2 ? "src" : "docs"}/${index}`,
  );
  const verdicts = await fleet.check(paths, { holder: "bob", cwd: root });
  expect(verdicts.map(({ path }) => path)).toEqual(paths);
  expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(5_000);
});

test("[WP25] a worker asks as itself, within its rights, and is meant by its id", async () => {
  const { root, fleet } = await openInRepository();
  const worker = await fleet.start({ name: "w", regions: ["src/**"] });
  const mine = await worker.acquire({ region: "src/a/**", ttlMs: LONG_MS });
  const paths = ["src/a/x", "src/b/x", "docs/x"];
  const expected = [
    ["src/a/x", "held_by_you", true],
    ["src/b/x", "free", true],
    ["docs/x", "outside_rights", false],
  ];
  expect(said(await worker.check(paths, { cwd: root }))).toEqual(expected);
  for (const holder of [worker.id, "worker:w"])
    expect(said(await fleet.check(paths, { holder, cwd: root }))).toEqual(expected);
  expect(said(await fleet.check("src/a/x", { holder: "w", cwd: root }))).toEqual([
    ["src/a/x", "held_by_other", false],
  ]);
  await worker.shutdown();
  expect((await refusedBy(mine.renew())).code).toBe("lease_ended");
  expect(said(await fleet.check("src/a/x", { holder: worker.id, cwd: root }))).toEqual([
    ["src/a/x", "outside_rights", false],
  ]);
});

test("[WP25] what is lent is the borrower's, and the lender's again when it ends", async () => {
  const { root, fleet } = await openInRepository();
  const parent = await fleet.start({ name: "parent" });
  const answer = await parent.maybeReplicate({ name: "child", reason: "help" });
  if (!answer.ok) throw new Error("a child must be admitted here");
  const child = answer.worker;
  const lease = await parent.acquire({ region: "src/**", ttlMs: LONG_MS });
  const lent = await lease.split({ to: child.id, region: ["src/a/**"] });
  const ask = async (): Promise<readonly string[]> => {
    const both = await Promise.all(
      [parent, child].map((one) => one.check("src/a/x", { cwd: root })),
    );
    return both.flat().map(({ reason }) => reason);
  };
  expect(await ask()).toEqual(["held_by_other", "held_by_you"]);
  await child.lease(lent.id).release();
  expect(await ask()).toEqual(["held_by_you", "held_by_other"]);
});

test("[WP25] a supervised worker asks through its socket, from its own folder", async () => {
  const root = realpathSync(makeFolder());
  mkdirSync(join(root, "src"));
  const dir = join(root, ".stint");
  const fleet = await openLenient(dir, { contract: LENIENT });
  await supervised(dir);
  const worker = await fleet.start({
    name: "checker",
    run: [process.execPath, FROM_SOURCE, CHECKER],
    cwd: join(root, "src"),
    regions: ["**", "!docs/**"],
  });
  const { state, end } = await worker.ended();
  expect(end).toMatchObject({ outcome: { exitCode: 0 } });
  expect(state).toEqual({
    free: [
      "src/x held_by_you true",
      "docs/x outside_rights false",
      "nothing outside_repository false",
    ],
    byFence: ["src/x held_by_you true"],
    strict: ["free free false"],
    own: true,
    wrong: "paths must be at least one path, got []",
    unknown: 'options.holder must be absent (no such option), got "anna"',
  });
});

test("[WP28] a path is read as patterns are: a resource of a namespace, or a file", async () => {
  const { root, fleet } = await openInRepository();
  await fleet.acquire({ ...HOLD, region: ["port:8080", "src/a/**", "file:port:90"] });
  const paths = ["port:8080", "./port:8080", "file:src/a/x", "./port:90", "port:90", "port:../x"];
  const judged = await fleet.check([...paths, "*:x", "src"], { holder: "bob", cwd: root });
  expect(judged.map(({ path, resolved, reason }) => [path, resolved, reason])).toEqual([
    ["port:8080", "port:8080", "held_by_other"],
    ["./port:8080", "file:port:8080", "free"],
    ["file:src/a/x", "src/a/x", "held_by_other"],
    ["./port:90", "file:port:90", "held_by_other"],
    ["port:90", "port:90", "free"],
    ["port:../x", null, "outside_repository"],
    ["*:x", null, "outside_repository"],
    ["src", "src", "free"],
  ]);
  expect(judged.map(({ below }) => below?.length ?? 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
});
