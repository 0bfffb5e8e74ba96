import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Ground, Standpoint } from "../../../src/ports/ground/ground.ts";
import { lookAtGround } from "../../../src/system/ground/ground.ts";
import { needsProgram } from "../../support/require-all.ts";

let base = "";
let root = "";
let stateDir = "";

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-ground-")));
  root = repository("repo");
  stateDir = stateOf(join(root, ".git"));
  mkdirSync(join(root, "src/deep"), { recursive: true });
  writeFileSync(join(root, "src/a"), "");
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

function git(cwd: string, ...args: readonly string[]): void {
  needsProgram("git");
  const said = ["user.name=t", "user.email=t@example.org", "protocol.file.allow=always"];
  const given = said.flatMap((one) => ["-c", one]);
  execFileSync("git", [...given, ...args], { cwd, stdio: "pipe" });
}

function repository(name: string, ...options: readonly string[]): string {
  const dir = join(base, name);
  mkdirSync(dir, { recursive: true });
  git(dir, "init", "-q", ...options);
  git(dir, "commit", "-q", "--allow-empty", "-m", "x");
  return dir;
}

function stateOf(common: string): string {
  const dir = join(common, "stint");
  mkdirSync(dir, { recursive: true });
  return dir;
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function lookFrom(cwd: string, options: Partial<Standpoint> = {}): Ground {
  const sight = lookAtGround({ stateDir, cwd, ...options });
  if (!sight.ok) throw new Error(`expected ${sight.expected}, got ${sight.got}`);
  return sight.ground;
}

function inMain(path: string): object {
  return { path, worktree: "main" };
}

describe("[WP12] a path is found from the top of its working tree, wherever it is given", () => {
  test.each([
    [".", "src/a"],
    ["src", "a"],
    ["src/deep", "../a"],
    ["src/deep", "../../src/./a"],
    ["..", "repo/src/a"],
  ])("in %s: %s (leases H25)", (folder, typed) => {
    const ground = lookFrom(join(root, folder));
    expect(ground.find(typed)).toEqual(inMain("src/a"));
    expect(ground.find(join(root, "src/a"))).toEqual(inMain("src/a"));
  });

  test("from outside, and by a link to the repository", () => {
    link(root, join(base, "link"));
    expect(lookFrom("/").find(`${base}/link/src/a`)).toEqual(inMain("src/a"));
    expect(lookFrom(join(base, "link/src")).find("a")).toEqual(inMain("src/a"));
    expect(lookFrom(base, { stateDir: join(base, "link/.git/stint") }).find("link/src/a")).toEqual(
      inMain("src/a"),
    );
  });

  test("whether it is there or not, with its name in normal form", () => {
    const ground = lookFrom(root);
    expect(ground.find("new/folder/e\u0301.ts")).toEqual(inMain("new/folder/\u00e9.ts"));
    for (const name of [" ", "a\nb", "a\u2028b", "!a", "a*?[b]{c,d}", "port:80", "-rf", "\\", "😀"])
      expect(ground.find(`src/${name}`)).toEqual(inMain(`src/${name}`));
  });
});

describe("[WP13] a link is judged by where it leads", () => {
  test.each([
    ["in", "../src/deep/x", "src/deep/x"],
    ["in, and nothing is there yet", "new/x", "links/new/x"],
    ["out", "/etc/passwd", null],
    ["out, and nothing is there yet", "../../beside/x", null],
    ["out and in again", "../../repo/src/a", "src/a"],
    ["to itself", "one", null],
    ["to git's own", "../.git/config", null],
  ])("that leads %s", (_, target, path) => {
    link(target, join(root, "links/one"));
    const expected = path === null ? null : inMain(path);
    expect(lookFrom(root).find("links/one")).toEqual(expected);
  });

  test("and so is what lies in a folder that is one", () => {
    link("/etc", join(root, "out"));
    link("src", join(root, "in"));
    const ground = lookFrom(root);
    expect(ground.find("out/passwd")).toBeNull();
    expect(ground.find("out/../src/a")).toBeNull();
    expect(ground.find("in/a")).toEqual(inMain("src/a"));
    expect(ground.find("in/deep/../../src/a")).toEqual(inMain("src/a"));
  });
});

test("[WP14] what lies outside, the root, git's own and the fleet's is no file of it", () => {
  const ground = lookFrom(root);
  const paths = ["..", "../beside", "/", "/etc/passwd", ".", "src/..", root, "", `${root}2/x`];
  for (const path of paths) expect([path, ground.find(path)]).toEqual([path, null]);
  for (const path of [".git", ".git/config", "sub/.git/config", ".GIT/hooks/x", stateDir])
    expect([path, ground.find(path)]).toEqual([path, null]);
  for (const path of [".gitignore", "src/.github/x", "a.git/x"])
    expect(ground.find(path)).toEqual(inMain(path));
});

describe("[WP15] working trees of one repository", () => {
  test("have equal paths, each with the name of its own", () => {
    git(root, "worktree", "add", "-q", join(base, "tree"));
    git(root, "worktree", "add", "-q", join(root, ".trees/inner"));
    const from = [root, join(base, "tree"), join(root, ".trees/inner")].map((cwd) => lookFrom(cwd));
    expect(from.map((ground) => ground.find("src/a"))).toEqual([
      inMain("src/a"),
      { path: "src/a", worktree: "tree" },
      { path: "src/a", worktree: "inner" },
    ]);
    expect(from.map(({ worktree }) => worktree)).toEqual(["main", "tree", "inner"]);
    expect(from[0]?.find("../tree/src/a")).toEqual({ path: "src/a", worktree: "tree" });
    expect(from[0]?.find(".trees/inner/.git")).toBeNull();
    expect(lookFrom("/").worktree).toBeNull();
  });

  test("are told apart though one is called like the main one", () => {
    git(root, "worktree", "add", "-q", join(base, "other/main"));
    expect(lookFrom(join(base, "other/main")).find("a")).toEqual({ path: "a", worktree: "main~" });
  });

  test("are those that the repository knows: a folder does not become one by its word", () => {
    git(root, "worktree", "add", "-q", join(base, "tree"));
    mkdirSync(join(root, "fake"));
    writeFileSync(join(root, "fake/.git"), `gitdir: ${root}/.git/worktrees/tree\n`);
    expect(lookFrom(join(root, "fake")).find("src/a")).toEqual(inMain("fake/src/a"));
    expect(lookFrom(join(base, "tree")).find("src/a")).toEqual({ path: "src/a", worktree: "tree" });
  });

  test("that are gone are no ground, and no hindrance", () => {
    git(root, "worktree", "add", "-q", join(base, "tree"));
    rmSync(join(base, "tree"), { recursive: true });
    expect(lookFrom(base).find("tree/src/a")).toBeNull();
    expect(lookFrom(base).find("repo/src/a")).toEqual(inMain("src/a"));
  });

  test("may have their directory elsewhere, as bare repositories and submodules do", () => {
    const bare = join(base, "bare.git");
    git(base, "clone", "-q", "--bare", root, bare);
    git(bare, "worktree", "add", "-q", join(bare, "trees/one"));
    const stateOfBare = stateOf(bare);
    const inBare = lookFrom(join(bare, "trees/one"), { stateDir: stateOfBare });
    expect(inBare.find("src/a")).toEqual({ path: "src/a", worktree: "one" });
    expect(inBare.find(join(bare, "config"))).toBeNull();

    git(root, "submodule", "--quiet", "add", repository("lib"), "lib");
    const module = stateOf(join(root, ".git/modules/lib"));
    const inModule = lookFrom(join(root, "lib"), { stateDir: module });
    expect(inModule.find("src/a")).toEqual(inMain("src/a"));
    expect(inModule.find("../src/a")).toBeNull();
    expect(lookFrom(root).find("lib/src/a")).toEqual(inMain("lib/src/a"));
  });

  test("may have a directory that does not know the main one: then it is given", () => {
    const apart = repository("apart", `--separate-git-dir=${join(base, "apart.git")}`);
    const stateOfApart = stateOf(join(base, "apart.git"));
    expect(lookAtGround({ stateDir: stateOfApart, cwd: apart })).toMatchObject({ ok: false });
    const given = lookFrom(apart, { stateDir: stateOfApart, root: apart });
    expect(given.find("src/a")).toEqual(inMain("src/a"));
    git(apart, "worktree", "add", "-q", join(base, "tree"));
    const tree = join(base, "tree");
    const second = lookFrom(tree, { stateDir: stateOfApart, root: tree });
    expect(second.find("src/a")).toEqual({ path: "src/a", worktree: "tree" });
  });
});

describe("[WP16] the ground of a fleet is", () => {
  test("the folder that holds .stint", () => {
    const plain = join(base, "plain");
    mkdirSync(join(plain, "src"), { recursive: true });
    const own = join(plain, ".stint");
    mkdirSync(own);
    const ground = lookFrom(join(plain, "src"), { stateDir: own });
    expect(ground.find("a")).toEqual(inMain("src/a"));
    expect(ground.find("../.stint/journal.db")).toBeNull();
    expect(ground.find("../../repo/src/a")).toBeNull();
    expect(ground.worktree).toBe("main");
  });

  test("the given folder, where the state folder says none", () => {
    const elsewhere = join(base, "state");
    mkdirSync(elsewhere);
    for (const given of [{ stateDir: elsewhere }, {}])
      expect(lookAtGround({ ...given, cwd: root })).toEqual({
        ok: false,
        expected: "the folder whose files the fleet is about",
        got: undefined,
      });
    const ground = lookFrom(join(root, "src"), { stateDir: elsewhere, root });
    expect(ground.find("a")).toEqual(inMain("src/a"));
    const inMemory = lookAtGround({ root: join(root, "src"), cwd: root });
    expect(inMemory.ok && inMemory.ground.find("src/a")).toEqual(inMain("a"));
    const missing = { stateDir: elsewhere, root: join(root, "none"), cwd: root };
    expect(lookAtGround(missing)).toMatchObject({ ok: false, got: join(root, "none") });
  });

  test("no other than the state folder says, so that all who ask mean one (leases H25)", () => {
    const sub = { stateDir, root: join(root, "src"), cwd: root };
    expect(lookAtGround(sub)).toEqual({ ok: false, expected: root, got: join(root, "src") });
    git(root, "worktree", "add", "-q", join(base, "tree"));
    expect(lookFrom(root, { root: join(base, "tree") }).find("src/a")).toEqual(inMain("src/a"));
  });

  test("where its repository was moved to", () => {
    renameSync(root, join(base, "moved"));
    const moved = lookFrom(join(base, "moved"), { stateDir: join(base, "moved/.git/stint") });
    expect(moved.find("src/a")).toEqual(inMain("src/a"));
  });
});
