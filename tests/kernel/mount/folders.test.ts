import { expect, test } from "vitest";
import { foldersIn, offOwnGround } from "../../../src/kernel/mount/folders.ts";
import { onWorktree } from "../../../src/kernel/ground/worktree.ts";

function folders(region: string, foldsCase = false): unknown {
  const { given, kept } = foldersIn({ region: region.split(" "), mode: "exclusive" }, foldsCase);
  return [given.map((path) => path.join("/")), kept.map((path) => path.join("/"))];
}

test.each([
  ["**", [""], []],
  ["src/**", ["src"], []],
  ["src/api/** docs/**", ["docs", "src/api"], []],
  ["src/** src/api/**", ["src"], []],
  ["src/api/** src/*.ts package.json", ["src/api"], []],
  ["src/** !src/gen/**", ["src"], ["src/gen"]],
  ["src/** !**/*.test.ts", [], []],
  ["src/*/x/**", [], []],
  ["port:80 src/**", ["src"], []],
  ["src/** !port:80", ["src"], []],
  ["*:**", [], []],
  [String.raw`a\*\[b/**`, ["a*[b"], []],
])("[GM16] whole folders of %s are %j, without %j", (region, given, kept) => {
  expect(folders(region)).toEqual([given, kept]);
});

test("[GM16] what only reads needs no folder", () => {
  expect(foldersIn({ region: ["src/**"], mode: "shared" }, false).given).toEqual([]);
});

test("[GM16] where letters fold a folder keeps the name that it was asked for by", () => {
  expect(folders("Src/API/**", true)).toEqual([["Src/API"], []]);
});

test("[GM16] a folder of a worktree's own ground is found there", () => {
  const region = onWorktree(["src/api/**"], "feature [x]");
  const [path = []] = foldersIn({ region, mode: "exclusive" }, false).given;
  expect(offOwnGround(path)).toEqual({ path: ["src", "api"], worktree: "feature [x]" });
  expect(offOwnGround(["src"])).toEqual({ path: ["src"], worktree: undefined });
});
