// What is git's of submodules, as their repository's own index says.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { submodulesOf } from "../../../src/system/git/submodules.ts";

let dir = "";
let top = "";
beforeEach(() => {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "stint-subs-")));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  dir = made;
  top = join(dir, "top");
});

function git(folder: string, ...args: readonly string[]): string {
  const as = ["-c", "user.name=w", "-c", "user.email=w@example.org"];
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  const allow = ["-c", "protocol.file.allow=always"];
  const options = { cwd: folder, env, encoding: "utf8", stdio: "pipe" } as const;
  return execFileSync("git", [...as, ...allow, ...args], options).trim();
}

function makeRepository(path: string): string {
  mkdirSync(path, { recursive: true });
  git(path, "init", "--quiet", "--initial-branch=main");
  writeFileSync(join(path, "file"), "");
  git(path, "add", "file");
  git(path, "commit", "--quiet", "-m", "first");
  return path;
}

/** `top` has the submodules `libs/sub`, with `deep` in it, and `libs/none` that is not there. */
function makeSubmodules(): void {
  const deep = makeRepository(join(dir, "deep"));
  const sub = makeRepository(join(dir, "sub"));
  git(sub, "submodule", "--quiet", "add", deep, "deep");
  git(sub, "commit", "--quiet", "-m", "deep");
  makeRepository(top);
  for (const name of ["sub", "none"]) git(top, "submodule", "--quiet", "add", sub, `libs/${name}`);
  git(top, "submodule", "--quiet", "update", "--init", "--recursive", "libs/sub");
  git(top, "submodule", "--quiet", "deinit", "--force", "libs/none");
}

test("[GM39] `.git` is known of all submodules, and those that have none", async () => {
  makeSubmodules();
  const expected = {
    kept: [join(top, "libs/sub/.git"), join(top, "libs/sub/deep/.git")],
    left: [join(top, "libs/none")],
  };
  expect(await submodulesOf(top)).toEqual(expected);
  rmSync(join(top, "libs/none"), { recursive: true });
  expect(await submodulesOf(top)).toEqual(expected);
  // A link is no folder: what may come in its place is a submodule's all the same.
  symlinkSync(dir, join(top, "libs/none"));
  expect(await submodulesOf(top)).toEqual(expected);
  git(join(top, "libs/sub"), "submodule", "--quiet", "deinit", "--force", "deep");
  expect(await submodulesOf(top)).toEqual({
    kept: [join(top, "libs/sub/.git")],
    left: [join(top, "libs/none"), join(top, "libs/sub/deep")],
  });
});

test("[GM39] submodules of linked trees, with odd names and parted indexes", async () => {
  makeSubmodules();
  git(top, "commit", "--quiet", "-m", "libs");
  git(join(top, "libs/sub"), "update-index", "--split-index");
  git(join(top, "libs/sub"), "update-index", "--force-remove", "file");
  expect((await submodulesOf(top)).kept).toContain(join(top, "libs/sub/deep/.git"));
  const side = join(dir, "side");
  git(top, "worktree", "add", "--quiet", "-b", "side", side);
  git(side, "submodule", "--quiet", "update", "--init", "libs/sub");
  const odd = join(side, 'ü "new\nline"');
  makeRepository(odd);
  git(side, "add", ".");
  expect(await submodulesOf(side)).toEqual({
    kept: [join(side, "libs/sub/.git"), join(odd, ".git")],
    left: [join(side, "libs/none"), join(side, "libs/sub/deep")],
  });
});

test("[GM39] an index is read once, and again when it has changed", async () => {
  makeSubmodules();
  const calls = join(dir, "calls");
  const path = process.env["PATH"] ?? "";
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  mkdirSync(join(dir, "bin"));
  writeFileSync(join(dir, "bin/git"), `#!/bin/sh\necho x >> ${calls}\nexec ${real} "$@"\n`);
  chmodSync(join(dir, "bin/git"), 0o755);
  process.env["PATH"] = [join(dir, "bin"), path].join(delimiter);
  onTestFinished(() => {
    process.env["PATH"] = path;
  });
  const count = (): number => readFileSync(calls, "utf8").length / 2;
  await Promise.all([submodulesOf(top), submodulesOf(top)]);
  // Of the top, of `libs/sub` and of `libs/sub/deep`.
  expect(count()).toBe(3);
  expect((await submodulesOf(top)).left).toHaveLength(1);
  expect(count()).toBe(3);
  process.env["PATH"] = path;
  git(top, "rm", "--quiet", "--cached", "libs/none");
  process.env["PATH"] = [join(dir, "bin"), path].join(delimiter);
  expect((await submodulesOf(top)).left).toEqual([]);
  expect(count()).toBe(4);
});

test("[GM39] what a worker has written to a submodule is not run by this", async () => {
  makeSubmodules();
  const [sub, mark] = [join(top, "libs/sub"), join(dir, "mark")];
  const evil = join(sub, "evil");
  renameSync(join(top, ".git/modules/libs/sub"), evil);
  writeFileSync(join(sub, ".git"), "gitdir: evil\n");
  const bad = join(dir, "bad");
  writeFileSync(bad, `#!/bin/sh\ntouch ${mark}\n`);
  chmodSync(bad, 0o755);
  writeFileSync(
    join(evil, "config"),
    `[core]\n\trepositoryformatversion = 1\n\tfsmonitor = ${bad}\n[extensions]\n\tno = such\n`,
  );
  expect((await submodulesOf(top)).kept).toContain(join(sub, "deep/.git"));
  expect(existsSync(mark)).toBe(false);
});

test("without a repository there are none, and a broken index is no empty one", async () => {
  expect(await submodulesOf(top)).toEqual({ kept: [], left: [] });
  makeSubmodules();
  writeFileSync(join(top, ".git/index"), "nonsense");
  await expect(submodulesOf(top)).rejects.toThrow(/^git ls-files, .*index/);
});
