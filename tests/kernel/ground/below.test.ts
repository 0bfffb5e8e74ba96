import { expect, test } from "vitest";
import { leasesBelow } from "../../../src/kernel/ground/below.ts";
import type { FilePath } from "../../../src/kernel/ground/writing.ts";
import { judgePath } from "../../../src/kernel/ground/writing.ts";
import { acquire, enactLanes, leaseOf } from "../../support/lease-scenario.ts";
import { create, given, kill, START_MS, type Play } from "../../support/scenario.ts";

function below({ state }: Play, path: string, more: Partial<FilePath> = {}): readonly string[] {
  const file = { path, worktree: "main", ...more };
  return leasesBelow(state, file, { atMs: START_MS + 1, countMax: 8 });
}

test("[WP28] live leases below a path are told, those that have the path are not", () => {
  const { play } = given(
    create(),
    acquire("ann", "src/a/**"),
    acquire("bob", "src/b/c.ts docs/x"),
    acquire("cid", "src", { mode: "shared" }),
    acquire("dan", "srca/x"),
  );
  const ids = ["ann", "bob"].map((name) => leaseOf(play, name).id);
  expect(below(play, "src").toSorted()).toEqual(ids);
  expect(below(play, "src/b")).toEqual([ids[1]]);
  expect(below(play, "src/a")).toEqual([]);
  expect(below(play, "src/a/deep")).toEqual([]);
  expect(below(play, "s*c")).toEqual([]);
  const late = { atMs: leaseOf(play, "ann").expires_at_ms, countMax: 8 };
  expect(leasesBelow(play.state, { path: "src", worktree: "main" }, late)).toEqual([]);
  const one = { atMs: START_MS + 1, countMax: 1 };
  expect(leasesBelow(play.state, { path: "src", worktree: "main" }, one)).toHaveLength(1);
});

test("[WP28] below a path of one worktree nothing of another is", () => {
  const { play } = given(create(), enactLanes([], { worktrees: "own_ground" }));
  play.take(acquire("ann", "src/a", { worktree: "fix" }));
  expect(below(play, "src")).toEqual([]);
  expect(below(play, "src", { worktree: "fix" })).toEqual([leaseOf(play, "ann").id]);
});

test("[WP29] in a fleet that was killed nobody may write", () => {
  const { play } = given(create(), acquire("ann", "src/**"), kill);
  const [own] = play.state.book.leases.values();
  if (own === undefined) throw new Error("a lease must be held");
  for (const path of ["src/a", "docs/a"])
    for (const fence of [undefined, own.fence]) {
      const file = { path, worktree: "main" };
      const asked = { file, holder: own.holder, isStrict: false, atMs: START_MS + 1 };
      const verdict = judgePath(play.state, fence === undefined ? asked : { ...asked, fence });
      expect(verdict).toMatchObject({ allowed: false, reason: "fleet_killed", lease_id: null });
    }
});

test("[WP28] a resource of another namespace is judged as it is, on every worktree", () => {
  const { play } = given(create(), enactLanes([], { worktrees: "own_ground" }));
  play.take(acquire("ann", "port:8080"));
  const judged = (more: Partial<FilePath>): readonly [string, string | null] => {
    const file = { path: "8080", worktree: "fix", ...more };
    const asked = { file, holder: { name: "bob" }, isStrict: false, atMs: START_MS + 1 };
    const { reason, resolved } = judgePath(play.state, asked);
    return [reason, resolved];
  };
  expect(judged({ namespace: "port" })).toEqual(["held_by_other", "port:8080"]);
  expect(judged({ namespace: "branch" })).toEqual(["free", "branch:8080"]);
  expect(judged({})).toEqual(["free", "worktree/fix/8080"]);
});
