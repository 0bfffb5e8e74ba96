import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { lookAtGround } from "../../../src/system/ground/ground.ts";
import { needsProgram } from "../../support/require-all.ts";

let base = "";
let root = "";

beforeEach(() => {
  needsProgram("git");
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-places-")));
  root = repository("repo");
  const made = base;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

function git(cwd: string, ...args: readonly string[]): void {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  execFileSync("git", [...identity, ...args], { cwd, stdio: "pipe" });
}

function repository(name: string): string {
  const path = join(base, name);
  mkdirSync(path);
  git(path, "init", "-q");
  git(path, "commit", "-q", "--allow-empty", "-m", "x");
  return path;
}

/** The folders of the ground of the fleet whose state folder lies in a repository's directory. */
function foldersFrom(stateDir: string): readonly string[] {
  mkdirSync(stateDir, { recursive: true });
  const sight = lookAtGround({ stateDir, cwd: base });
  if (!sight.ok) throw new Error("there is no ground");
  return sight.ground.folders;
}

test("[WP31] the folders of a ground are its working trees and what they share", () => {
  git(root, "worktree", "add", "-q", join(base, "tree"));
  const all = [root, join(base, "tree"), join(root, ".git")];
  expect(foldersFrom(join(root, ".git/stint"))).toEqual(all);
  expect(foldersFrom(join(root, ".stint"))).toEqual(all);
  // From within a linked tree: its directory knows it.
  expect(foldersFrom(join(base, "tree/.stint"))).toEqual(all);
  const plain = join(base, "plain");
  expect(foldersFrom(join(plain, ".stint"))).toEqual([plain]);
});

test("[WP31] no tree is one by the word of the repository alone", () => {
  const victim = join(base, "victim");
  mkdirSync(victim);
  const registered = join(root, ".git/worktrees/evil");
  mkdirSync(registered, { recursive: true });
  writeFileSync(join(registered, "gitdir"), `${victim}/.git\n`);
  expect(foldersFrom(join(root, ".git/stint"))).toEqual([root, join(root, ".git")]);
  // It is looked at as ground all the same: a lease on it harms nobody.
  const sight = lookAtGround({ stateDir: join(root, ".git/stint"), cwd: base });
  expect(sight.ok && sight.ground.worktrees).toEqual(["main", "evil"]);
});

test("[WP31] no tree is one by a setting of the repository", () => {
  const victim = join(base, "victim");
  mkdirSync(victim);
  const bare = join(base, "bare.git");
  git(base, "clone", "-q", "--bare", root, bare);
  const config = readFileSync(join(bare, "config"), "utf8");
  writeFileSync(join(bare, "config"), `${config}\n[core]\n\tworktree = ${victim}\n`);
  expect(foldersFrom(join(bare, "stint"))).toEqual([bare]);
});

test("[WP31] no other repository is written to by the word of a tree", () => {
  const other = repository("other");
  rmSync(join(root, ".git"), { recursive: true });
  writeFileSync(join(root, ".git"), `gitdir: ${other}/.git\n`);
  expect(foldersFrom(join(root, ".stint"))).toEqual([root]);
  git(other, "worktree", "add", "-q", join(base, "tree"));
  writeFileSync(join(root, ".git"), `gitdir: ${other}/.git/worktrees/tree\n`);
  const folders = foldersFrom(join(root, ".stint"));
  expect(folders.filter((one) => one === other || dirname(one) === other)).toEqual([]);
});
