import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configsElsewhere } from "../../src/cli/founding/other-trees.ts";
import { demandPlaces, findPlace, findPlaces, holdsFleet, placeFor } from "../../src/cli/place.ts";
import { needsProgram } from "../support/require-all.ts";

let base = "";

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-place-")));
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Makes a folder look as if a fleet were kept in it. */
function found(stateDir: string): string {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(join(stateDir, "journal.db"), "");
  return stateDir;
}

function git(cwd: string, ...args: readonly string[]): void {
  needsProgram("git");
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  execFileSync("git", [...identity, ...args], { cwd, stdio: "pipe" });
}

/** A repository with one commit. */
function repository(name: string): string {
  const root = join(base, name);
  mkdirSync(root);
  git(root, "init", "-q");
  git(root, "commit", "-q", "--allow-empty", "-m", "x");
  return root;
}

describe("where a fleet is", () => {
  test("[CL13] a folder's own fleet is found from it and from below", () => {
    const stateDir = found(join(base, ".stint"));
    mkdirSync(join(base, "a/b"), { recursive: true });
    const place = { stateDir, root: base };
    expect(findPlace(base)).toEqual(place);
    expect(findPlace(join(base, "a/b"))).toEqual(place);
    expect(demandPlaces(join(base, "a"), "/")).toEqual([place]);
    expect(demandPlaces(stateDir, "/")).toEqual([place]);
  });

  test("[CL13] working trees of a repository share one fleet", () => {
    const root = repository("main");
    git(root, "worktree", "add", "-q", join(base, "tree"));
    const stateDir = join(root, ".git/stint");
    expect(placeFor(root)).toEqual({ stateDir, root });
    expect(placeFor(join(base, "tree"))).toEqual({ stateDir, root: join(base, "tree") });
    expect(findPlace(root)).toBeUndefined();
    found(stateDir);
    mkdirSync(join(base, "tree/src"));
    expect(findPlace(join(base, "tree/src"))).toEqual({ stateDir, root: join(base, "tree") });
    expect(findPlace(join(root, ".git/stint"))).toEqual({ stateDir, root });
  });

  test("[CL27] a config is found in the other working trees that share a fleet", () => {
    const root = repository("main");
    const tree = join(base, "tree");
    git(root, "worktree", "add", "-q", tree);
    const stateDir = join(root, ".git/stint");
    expect(configsElsewhere(stateDir, tree)).toEqual([]);
    writeFileSync(join(root, "stint.toml"), "");
    expect(configsElsewhere(stateDir, tree)).toEqual([join(root, "stint.toml")]);
    expect(configsElsewhere(stateDir, root)).toEqual([]);
    writeFileSync(join(tree, "stint.toml"), "");
    expect(configsElsewhere(stateDir, root)).toEqual([join(tree, "stint.toml")]);
    expect(configsElsewhere(join(base, ".stint"), base)).toEqual([]);
  });

  test("[CL13] a submodule without a fleet is in that of the repository around it", () => {
    const [outer, inner] = [repository("outer"), repository("inner")];
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "part");
    const part = join(outer, "part");
    expect(placeFor(part)).toEqual({
      stateDir: join(outer, ".git/modules/part/stint"),
      root: part,
    });
    const stateDir = found(join(outer, ".git/stint"));
    expect(findPlace(part)).toEqual({ stateDir, root: outer });
  });

  test("[CL13] paths are canonical: a link leads to the same fleet", () => {
    const stateDir = found(join(base, "real/.stint"));
    symlinkSync(join(base, "real"), join(base, "link"));
    expect(findPlace(join(base, "link"))).toEqual({ stateDir, root: join(base, "real") });
  });

  test("[CL13] a file .git that says nothing makes no repository", () => {
    writeFileSync(join(base, ".git"), "gitdir: /nowhere\n");
    expect(placeFor(base)).toEqual({ stateDir: join(base, ".stint"), root: base });
    writeFileSync(join(base, ".git"), "nonsense");
    expect(placeFor(base).stateDir).toBe(join(base, ".stint"));
    mkdirSync(join(base, "sub/.git"), { recursive: true });
    expect(placeFor(join(base, "sub")).stateDir).toBe(join(base, "sub/.stint"));
  });

  test.each(["journal.db", "head", "permit-f-x"])(
    "[CL13] what is left of a fleet is still one: %s",
    (name) => {
      mkdirSync(join(base, ".stint"));
      expect(holdsFleet(join(base, ".stint"))).toBe(false);
      writeFileSync(join(base, ".stint", name), "");
      expect(findPlace(base)?.stateDir).toBe(join(base, ".stint"));
    },
  );

  test("[CL13] the nearest folder is first, and in it the repository's before .stint", () => {
    const root = repository("main");
    const sub = join(root, "sub");
    const [shared, own, below] = [".git/stint", ".stint", "sub/.stint"].map((name) =>
      found(join(root, name)),
    );
    const stateDirs = (from: string) => findPlaces(from).map(({ stateDir }) => stateDir);
    expect(stateDirs(root)).toEqual([shared, own]);
    expect(stateDirs(sub)).toEqual([below, shared, own]);
    expect(findPlace(sub)).toEqual({ stateDir: below, root: sub });
    for (const one of [shared, own, below]) expect(stateDirs(one ?? "")).toEqual([one]);
  });

  test("[CL29] a fleet is begun only where none is found already", () => {
    const root = repository("main");
    mkdirSync(join(root, "sub"));
    const stateDir = found(join(root, ".stint"));
    for (const from of [root, join(root, "sub"), stateDir])
      expect(placeFor(from)).toEqual({ stateDir, root });
    // A folder that is in no repository may have a fleet below another's.
    found(join(base, "a/.stint"));
    mkdirSync(join(base, "a/b"));
    expect(placeFor(join(base, "a/b")).stateDir).toBe(join(base, "a/b/.stint"));
  });

  test("[CL29] a state folder that is named is meant, also when its journal is lost", () => {
    const root = repository("main");
    for (const name of [".git/stint", ".stint"]) {
      const stateDir = found(join(root, name));
      writeFileSync(join(stateDir, "head"), "");
      rmSync(join(stateDir, "journal.db"));
      expect(findPlaces(stateDir)).toEqual([{ stateDir, root }]);
    }
  });

  test("[CL13] without a fleet the next command is named", () => {
    expect(() => demandPlaces(undefined, base)).toThrow(/begin one with `stint init`/);
    expect(() => demandPlaces(join(base, "nowhere"), base)).toThrow(/^--fleet must be a folder/);
  });
});
