import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeFolders } from "../../src/system/folders.ts";

test("folders are made with those above them, and what is there stays", () => {
  const base = mkdtempSync(join(tmpdir(), "stint-folders-"));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const inner = join(base, "a/b/c");
  makeFolders(inner, { mode: 0o700 });
  writeFileSync(join(inner, "kept"), "");
  makeFolders(inner, { mode: 0o755 });
  for (const path of ["a", "a/b", "a/b/c"])
    expect(statSync(join(base, path)).mode & 0o777).toBe(0o700);
  expect(statSync(join(inner, "kept")).isFile()).toBe(true);
});

test("where no folder can be made that is a fault, and it ends", () => {
  const fault = expect.objectContaining({ code: "storage_failed" }) as unknown;
  expect(() => makeFolders("/proc/nobody/here")).toThrow(fault);
});
