import { expect, test } from "vitest";
import { onWorktree } from "../../../src/kernel/ground/worktree.ts";
import type { Ground } from "../../../src/ports/ground/ground.ts";
import { placesOf } from "../../../src/supervisor/fence/places.ts";

const TOPS = { main: "/r", side: "/r/trees/side", far: "/far" } as const;

const ground: Ground = {
  worktree: null,
  worktrees: Object.keys(TOPS),
  folders: Object.values(TOPS),
  topsOf: (id) => (id === null ? Object.values(TOPS) : [TOPS[id as keyof typeof TOPS]]),
  find: () => null,
};

function places(region: readonly string[]): readonly unknown[] {
  const submodules = { kept: ["/r/libs/sub/.git"], left: ["/r/libs/none"] };
  const site = { ground, foldsCase: false, submodules };
  const found = placesOf(site, { region, mode: "exclusive" });
  return found.map(({ folder, kept, left }) => [folder, ...kept, ...left.map((one) => `!${one}`)]);
}

test("[GM20] where worktrees share their ground a lease is mounted in each of them", () => {
  expect(places(["src/**"])).toEqual([
    ["/r/src", "/r/src/.git"],
    ["/r/trees/side/src", "/r/trees/side/src/.git"],
    ["/far/src", "/far/src/.git"],
  ]);
});

test("[GM20] where each has its own it is mounted in one, without another that lies in it", () => {
  expect(places(onWorktree(["**", "!gen/**"], "main"))).toEqual([
    ["/r", "/r/.git", "/r/trees/side", "/r/libs/sub/.git", "!/r/gen", "!/r/libs/none"],
  ]);
  expect(places(onWorktree(["src/**"], "side"))).toEqual([
    ["/r/trees/side/src", "/r/trees/side/src/.git"],
  ]);
});

test("[GM39] what is git's of submodules is kept, and one that has none is not given", () => {
  expect(places(onWorktree(["libs/**"], "main"))).toEqual([
    ["/r/libs", "/r/libs/.git", "/r/libs/sub/.git", "!/r/libs/none"],
  ]);
  expect(places(onWorktree(["libs/none/**", "libs/none/x/**"], "main"))).toEqual([]);
});

test("[GM20] nothing within git's own directory is mounted, in whatever case", () => {
  expect(places([".git/hooks/**", ".GIT/**"])).toEqual([]);
});
