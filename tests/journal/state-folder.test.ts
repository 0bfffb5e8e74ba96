import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ensureFiles, filesIn } from "../../src/journal/sqlite/files.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-state-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

test("[CL31] an empty folder is kept out of a repository before anything is in it", () => {
  ensureFiles(filesIn(folder), { create: true });
  expect(readdirSync(folder).toSorted()).toEqual([".gitignore", "journal.db"]);
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
});

test("[CL31] a folder that holds something is the user's, and so is a .gitignore in it", () => {
  const [used, own] = ["used", "own"].map((name) => join(folder, name));
  for (const dir of [used ?? "", own ?? ""]) mkdirSync(dir);
  writeFileSync(join(used ?? "", "notes.md"), "");
  writeFileSync(join(own ?? "", ".gitignore"), "mine\n");
  for (const dir of [used ?? "", own ?? ""]) ensureFiles(filesIn(dir), { create: true });
  expect(readdirSync(used ?? "").toSorted()).toEqual(["journal.db", "notes.md"]);
  expect(readFileSync(join(own ?? "", ".gitignore"), "utf8")).toBe("mine\n");
});
