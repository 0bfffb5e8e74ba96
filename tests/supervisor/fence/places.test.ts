import { expect, test } from "vitest";
import { onWorktree } from "../../../src/kernel/ground/worktree.ts";
import type { Ground } from "../../../src/ports/ground.ts";
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
  const found = placesOf(ground, { region, mode: "exclusive" }, false);
  return found.map(({ folder, kept }) => [folder, ...kept]);
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
    ["/r", "/r/.git", "/r/trees/side", "/r/gen"],
  ]);
  expect(places(onWorktree(["src/**"], "side"))).toEqual([
    ["/r/trees/side/src", "/r/trees/side/src/.git"],
  ]);
});

test("[GM20] nothing within git's own directory is mounted, in whatever case", () => {
  expect(places([".git/hooks/**", ".GIT/**"])).toEqual([]);
});
