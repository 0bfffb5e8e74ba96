import { expect, test } from "vitest";
import {
  act,
  acquire,
  enactLanes,
  leaseOf,
  release,
  renew,
  TTL_MS,
} from "../../support/lease-scenario.ts";
import { create, given, START_MS, type Play } from "../../support/scenario.ts";

const END = new Date(START_MS + TTL_MS).toISOString();

/** The sentence of a decision that says no. */
function messageOf(play: Play, step: Parameters<Play["take"]>[0]): string {
  return play.take(step)?.refusal?.message ?? "nothing was refused";
}

test("[LS25] an end is written in UTC; one's own lease is one's own", () => {
  const { play } = given(create(), acquire("ann", "src/**"));
  expect(messageOf(play, acquire("bob", "src/a"))).toBe(
    `the ground must be free, "ann" holds "src/a" as exclusive by l-2 until ${END}`,
  );
  expect(messageOf(play, acquire("ann", "src/a"))).toBe(
    `the ground must be free, your own l-2 has "src/a" as exclusive until ${END}`,
  );
});

test("[LS25] who has the slots is told, a few by name, and when the first is free", () => {
  const lane = { name: "tests", region: ["tests/**"], slots: 5 };
  const { play } = given(create(), enactLanes([lane]));
  for (const name of ["ann", "bob", "cid", "dan", "eve"])
    play.take(acquire(name, { lanes: ["tests"] }));
  const { refusal } = play.take(acquire("fay", { lanes: ["tests"] })) ?? {};
  expect(refusal?.message).toBe(
    'lane "tests" must have a free slot of its 5, 5 held, by "ann", "bob", "cid" and 2 more; ' +
      `the first ends at ${END}`,
  );
  expect(refusal?.facts).toMatchObject({ held: 5, holders: ["ann", "bob", "cid"] });
});

test("[LS11] a lane that is like none is answered with those there are, a few by name", () => {
  const names = "api web docs tests demo core edge wire last".split(" ");
  const lanes = names.map((name) => ({ name, region: [`${name}/**`] }));
  const { play } = given(create(), enactLanes(lanes));
  expect(messageOf(play, acquire("ann", { lanes: ["deployment"] }))).toBe(
    'a lane must be enacted, none is "deployment"; there are "api", "web", "docs", "tests", ' +
      '"demo", "core", "edge", "wire" and 1 more',
  );
  expect(messageOf(play, acquire("ann", { lanes: ["apo"] }))).toBe(
    'a lane must be enacted, none is "apo"; did you mean "api"?',
  );
});

test("[LS14] of several lanes the refusal says what came of each", () => {
  const lanes = ["api", "web"].map((name) => ({ name, region: [`${name}/**`] }));
  const { play } = given(create(), enactLanes(lanes), acquire("ann", "*/a"));
  expect(messageOf(play, acquire("bob", { lanes: ["api", "web"] }))).toMatch(
    /^the ground must be free, "ann" holds "web\/a".+; tried in turn: "api" \(conflict\), "web" /,
  );
});

test("[LS25] on the ground of a worktree people read what they wrote", () => {
  const { play } = given(create(), enactLanes([], { worktrees: "own_ground" }));
  play.take(acquire("ann", "src/**", { worktree: "fix*1", key: "k" }));
  const refused = play.take(acquire("bob", "src/a", { worktree: "fix*1" }))?.refusal;
  expect(refused?.message).toContain('"ann" holds "src/a" of worktree "fix*1" as exclusive');
  expect(refused?.facts).toMatchObject({ witness: "src/a", worktree: "fix*1" });
  const narrow = act(["lease.narrow", "ann"], { region: ["lib/**"] });
  expect(messageOf(play, narrow)).toBe(
    `the region must lie in lease ${leaseOf(play, "ann").id}, ["src/**"], got ["lib/**"] ` +
      'with "lib" of worktree "fix*1"',
  );
  const misused = acquire("ann", "docs/**", { worktree: "fix*1", key: "k" });
  expect(messageOf(play, misused)).toContain("on exclusive src/**, got exclusive docs/**");
});

test("[LS25] where worktrees share ground a folder of that name is a folder", () => {
  const { play } = given(create(), acquire("ann", "worktree/fix/**"));
  expect(messageOf(play, acquire("bob", "worktree/fix/a"))).toContain('"worktree/fix/a"');
});

test("[LS34] a lease that has ended is told so", () => {
  const { play } = given(create(), acquire("ann", "src/**"));
  const { id } = leaseOf(play, "ann");
  play.take(release("ann"));
  const late = renew("ann", {}, { lease: id, ended: id });
  expect(messageOf(play, late)).toBe(`lease ${id} must be live, it has ended`);
});
