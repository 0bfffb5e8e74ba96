import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { foldsCase, type Disk } from "../../src/system/case-folding.ts";

function makeFolder(...names: readonly string[]): string {
  const base = mkdtempSync(join(tmpdir(), "stint-Folding-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, "site");
  mkdirSync(folder);
  for (const name of names) writeFileSync(join(folder, name), "");
  return folder;
}

test.each([
  ["a name without its twin", ["readme"]],
  ["two names that differ in case alone", ["readme", "README"]],
  ["names without letters, but for the folder's own", ["1", "2"]],
  ["nothing, but for the folder's own name", []],
])("[LN5] a file system that tells letters apart does, by %s", (_, names) => {
  const folder = makeFolder(...names);
  expect(foldsCase(folder)).toBe(false);
  expect(readdirSync(folder).toSorted()).toEqual([...names].toSorted());
});

/** A disk that folds, as none of the machines of these tests does; files by their paths. */
function foldingDisk(...paths: readonly string[]): Disk {
  const folded = new Map(paths.map((path, index) => [path.toLowerCase(), `1:${index}`]));
  return {
    namesIn: (folder) =>
      paths.filter((path) => dirname(path) === folder).map((path) => basename(path)),
    identityOf: (path) => folded.get(path.toLowerCase()),
  };
}

test.each([
  ["of a file in it", ["/at/site/Makefile", "/at/site"]],
  ["of a file among others without letters", ["/at/site/1", "/at/site/a", "/at/site"]],
  ["of its own where it is empty", ["/at/site"]],
])("[LN5] a file system that finds the name %s in other letters folds", (_, paths) => {
  expect(foldsCase("/at/site", foldingDisk(...paths))).toBe(true);
});

test("[LN5] names that tell nothing are passed over", () => {
  const disk = foldingDisk("/1/2/3");
  expect(foldsCase("/1/2", disk)).toBe(false);
  // Listed, and gone by the time that it is looked at.
  const namesIn = (): readonly string[] => ["gone", "kept"];
  expect(foldsCase("/at", { ...foldingDisk("/at/kept"), namesIn })).toBe(true);
});

test("[LN5] a folder that cannot be read tells letters apart", () => {
  expect(foldsCase(join(makeFolder(), "none", "NONE"))).toBe(false);
});
