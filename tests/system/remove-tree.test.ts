import { existsSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeTree } from "../../src/system/remove-tree.ts";

test("a tree deeper than a path can be long is removed, and what is not there is no error", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-tree-"));
  const before = process.cwd();
  process.chdir(folder);
  try {
    for (let depth = 0; depth < 60; depth += 1) {
      mkdirSync("d".repeat(100));
      process.chdir("d".repeat(100));
    }
    writeFileSync("last", "");
  } finally {
    process.chdir(before);
  }
  await removeTree(folder);
  expect(existsSync(folder)).toBe(false);
  await removeTree(folder);
});

test("what cannot be removed is said", async () => {
  await expect(removeTree("/proc/self/task")).rejects.toThrow("rm /proc/self/task: ");
  expect(() => rmdirSync("/proc/self/task")).toThrow("EPERM");
});
