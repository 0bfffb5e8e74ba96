import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeScratch } from "../../src/demo/scratch/clone.ts";
import { scratchGit } from "../../src/demo/scratch/git.ts";
import type { ScratchTask } from "../../src/demo/task.ts";
import { listTree } from "../../src/demo/tree/listing.ts";
import { needsProgram } from "../support/require-all.ts";
import { gitIn, makeFolder, makeMergedRepository, makeTree, write } from "./repository.ts";

async function scratchOf(root: string): Promise<ScratchTask> {
  const dir = makeFolder();
  return makeScratch({ dir }, { root, listing: await listTree(root, { except: dir }) });
}

function messages(scratch: ScratchTask): Promise<string> {
  return scratchGit(scratch, ["log", "--format=%s"]);
}

describe("[DM16] what the workers edit", () => {
  test("is a clone with its history, of which two files are checked out", async () => {
    needsProgram("git");
    const root = makeMergedRepository();
    const before = gitIn(root, "rev-parse", "HEAD");
    const scratch = await scratchOf(root);
    expect(scratch).toMatchObject({ git: true, is_clone: true });
    const { files } = scratch;
    expect(files["analyst-1"]).toBe(files["analyst-2"]);
    expect(files["analyst-3"]).not.toBe(files["analyst-1"]);
    for (const path of Object.values(files))
      expect(readFileSync(join(scratch.dir, path))).toEqual(readFileSync(join(root, path)));
    expect(readdirSync(scratch.dir).toSorted()).toEqual([".git", "src"]);
    expect((await messages(scratch)).split("\n")).toContain("merged");
    // A commit there is none here, and takes nothing along that was not checked out.
    write(scratch.dir, files["analyst-1"] ?? "", "changed\n");
    await scratchGit(scratch, ["add", "--", files["analyst-1"] ?? ""]);
    await scratchGit(scratch, ["commit", "--quiet", "--message=edit"]);
    const changed = await scratchGit(scratch, ["show", "--name-only", "--format="]);
    expect(changed.trim()).toBe(files["analyst-1"]);
    expect(gitIn(root, "rev-parse", "HEAD")).toBe(before);
    expect(gitIn(root, "status", "--porcelain")).toBe("");
  });

  test("is a clone of the whole repository where a folder of it is analysed", async () => {
    needsProgram("git");
    const root = makeMergedRepository();
    expect(await scratchOf(join(root, "src"))).toMatchObject({ is_clone: true });
  });

  test("is a repository of copies where there is no commit, or no repository", async () => {
    needsProgram("git");
    const unborn = makeTree();
    gitIn(unborn, "init", "--quiet");
    gitIn(unborn, "add", "--all");
    for (const root of [unborn, makeTree()]) {
      const scratch = await scratchOf(root);
      expect(scratch).toMatchObject({ git: true, is_clone: false });
      expect(scratch.files["analyst-1"]).toBe("README.md");
      expect(readFileSync(join(scratch.dir, "README.md"))).toEqual(
        readFileSync(join(root, "README.md")),
      );
      expect(await messages(scratch)).toBe("As it was found\n");
    }
  });

  test("has made up names where a tree has none that is plain", async () => {
    needsProgram("git");
    const root = makeFolder();
    write(root, "odd [name].ts", "x\n");
    write(root, ".hidden.ts", "x\n");
    const scratch = await scratchOf(root);
    const [shared = "", , other = ""] = Object.values(scratch.files);
    expect([shared, other]).toEqual(["NOTES.md", "notes/MORE.md"]);
    expect(existsSync(join(scratch.dir, shared))).toBe(false);
  });
});
