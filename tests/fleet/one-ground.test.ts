// One repository, entered from its root, from a folder in it and from another worktree: one ground,
// unless its rules say that each worktree has its own.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { builtBin, stint, type Called } from "../support/cli.ts";
import { needsProgram } from "../support/require-all.ts";

vi.setConfig({ testTimeout: 120_000 });
beforeAll(async () => void (await builtBin()), 120_000);

/** A repository with a fleet, and calls from anywhere in it. */
interface Repository {
  readonly root: string;
  readonly folder: string;
  readonly worktree: string;
  readonly call: (cwd: string, ...args: readonly string[]) => Promise<Called>;
}

async function makeRepository(config: string): Promise<Repository> {
  needsProgram("git");
  const base = realpathSync(mkdtempSync(join(tmpdir(), "stint-proof-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const [root, worktree] = [join(base, "site"), join(base, "other")];
  const folder = join(root, "packages/api");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, "stint.toml"), config);
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  const git = (...args: readonly string[]) =>
    execFileSync("git", [...identity, ...args], { cwd: root, stdio: "pipe" });
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "x");
  git("worktree", "add", "-q", worktree);
  const env = {
    XDG_RUNTIME_DIR: join(base, "run"),
    XDG_STATE_HOME: join(base, "state"),
    NO_COLOR: "1",
  };
  const call = (cwd: string, ...args: readonly string[]): Promise<Called> =>
    stint([...args, "--json"], { cwd, env });
  expect((await call(root, "init")).exit).toBe(0);
  return { root, folder, worktree, call };
}

const acquire = (holder: string) =>
  ["lease", "acquire", "--region", "src/**", "--holder", holder] as const;

test("[LP11] folders and worktrees of one repository are one ground (leases H25)", async () => {
  const { root, folder, worktree, call } = await makeRepository('[fleet]\nname = "one"\n');
  const first = await call(folder, ...acquire("anna"));
  expect(first.exit).toBe(0);
  const { lease_id: id, token, fence } = first.json().data;
  for (const from of [root, folder, worktree]) {
    const refused = await call(from, ...acquire("ben"));
    expect(refused.exit).toBe(3);
    expect(refused.json().refusal).toMatchObject({ code: "conflict", facts: { lease_id: id } });
  }
  // The path is one resource, wherever it is named from.
  const check = ["lease", "check", "--holder", "anna", "--fence", String(fence)];
  const named = [
    [root, "src/a.ts"],
    [folder, "../../src/a.ts"],
    [worktree, "src/a.ts"],
    [worktree, join(root, "src/a.ts")],
  ] as const;
  for (const [from, path] of named) {
    const [verdict] = (await call(from, ...check, path)).json().data.paths;
    expect(verdict).toMatchObject({ resolved: "src/a.ts", allowed: true, lease_id: id });
  }
  // What was acquired in one is given back from another.
  expect((await call(worktree, "lease", "release", id, "--token", token)).exit).toBe(0);
  expect((await call(worktree, ...acquire("ben"))).exit).toBe(0);
});

test("[LP11] worktrees have ground of their own where the rules say so (leases H25)", async () => {
  const config = '[fleet]\nname = "own"\n[repository]\nworktrees = "own_ground"\n';
  const { root, folder, worktree, call } = await makeRepository(config);
  const first = (await call(root, ...acquire("anna"))).json();
  expect((await call(folder, ...acquire("ben"))).json().refusal.code).toBe("conflict");
  const second = (await call(worktree, ...acquire("ben"))).json();
  expect(second).toMatchObject({ ok: true });
  expect(second.data.region).not.toEqual(first.data.region);
  const refused = await call(worktree, ...acquire("carl"));
  expect(refused.json().refusal.facts.lease_id).toBe(second.data.lease_id);
});
