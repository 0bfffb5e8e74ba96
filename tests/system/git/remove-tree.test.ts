import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getuid, setegid, seteuid } from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { removeTree } from "../../../src/system/git/remove-tree.ts";

test("a tree deeper than a path can be long is removed, what is not there no error", async () => {
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

/** Acts as a user that is bound by modes: nobody, where this is root. */
async function asPlainUser<T>(act: () => Promise<T>): Promise<T> {
  if (getuid?.() !== 0) return act();
  setegid?.(65_534);
  seteuid?.(65_534);
  try {
    return await act();
  } finally {
    seteuid?.(0);
    setegid?.(0);
  }
}

test("[GM38] folders closed to their owner are removed, no link is followed", async () => {
  const top = mkdtempSync(join(tmpdir(), "stint-tree-"));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  if (getuid?.() === 0) chownSync(top, 65_534, 65_534);
  const [folder, other] = [join(top, "worker's"), join(top, "other")];
  await asPlainUser(async () => {
    mkdirSync(join(folder, "locked/in/it"), { recursive: true });
    mkdirSync(join(folder, "unwritable"));
    for (const path of ["locked/x", "locked/in/it/x", "unwritable/x"])
      writeFileSync(join(folder, path), "");
    // Somebody else's, by a link, and by another name of a file.
    mkdirSync(other);
    writeFileSync(join(other, "kept"), "");
    linkSync(join(other, "kept"), join(folder, "locked/kept"));
    chmodSync(join(other, "kept"), 0o400);
    symlinkSync(other, join(folder, "locked/link"));
    chmodSync(other, 0o500);
    for (const path of ["locked/in/it", "locked/in", "locked"]) chmodSync(join(folder, path), 0);
    chmodSync(join(folder, "unwritable"), 0o500);
    await removeTree(folder);
  });
  expect(existsSync(folder)).toBe(false);
  expect(statSync(other).mode & 0o777).toBe(0o500);
  expect(statSync(join(other, "kept")).mode & 0o777).toBe(0o400);
});
