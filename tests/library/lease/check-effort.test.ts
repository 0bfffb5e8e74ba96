// What one check of paths may cost: counted, so that the answers are the same on every machine.
import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { leasesBelow } from "../../../src/kernel/ground/below.ts";
import { judgePath } from "../../../src/kernel/ground/writing.ts";
import { newEffort } from "../../../src/kernel/region/effort.ts";
import type { State } from "../../../src/kernel/state.ts";
import { checkPaths, type CheckSeat } from "../../../src/library/lease/checking.ts";
import type { PathDocument } from "../../../src/library/lease/path-verdict.ts";
import { acquire } from "../../support/lease-scenario.ts";
import { create, given, START_MS } from "../../support/scenario.ts";

const AT_MS = START_MS + 1;

/** Patterns that go a long way with every deep path, and match none. */
function winding(name: string, count: number): string {
  const run = "**/?/".repeat(14);
  const all = Array.from({ length: count }, (_, index) => `${run}**/${name}${index}/${run}**`);
  return all.join(" ");
}

/** Checks paths against a state, and says how often the event loop had its turn. */
async function check(
  state: State,
  paths: readonly string[],
): Promise<{ readonly documents: readonly PathDocument[]; readonly turns: number }> {
  let turns = 0;
  const seat = {
    timers: { turn: () => Promise.resolve(void (turns += 1)) },
    loop: { look: () => Promise.resolve(state), state: () => state, head: () => state.seq },
    store: { journal: { append: () => Promise.resolve({ kind: "appended", atMs: AT_MS }) } },
    lookAtGround: () => ({
      ok: true,
      ground: { find: (path: string) => ({ path, worktree: "main" }) },
    }),
  } as unknown as CheckSeat;
  const documents = await checkPaths(
    seat,
    { paths, cwd: "/" },
    { holder: { name: "bob" }, root: undefined },
  );
  return { documents, turns };
}

test("[WP30] all paths of a check share one effort, and are undecided beyond it", async () => {
  const crowd = Array.from({ length: 20 }, (_, index) =>
    acquire(`h${index}`, winding(`h${index}-`, 20), { mode: "shared" }),
  );
  const { play } = given(create(), ...crowd);
  const paths = Array.from({ length: 200 }, (_, index) => `${"a/".repeat(40)}${index}`);
  const { documents, turns } = await check(play.state, paths);
  const reasons = documents.map(({ reason }) => reason);
  expect(reasons[0]).toBe("free");
  expect(reasons.at(-1)).toBe("undecided");
  for (const { reason, allowed } of documents) expect(allowed).toBe(reason === "free");
  expect(turns).toBeGreaterThan(5);
  const few = await check(play.state, paths.slice(-1));
  expect(few.documents[0]).toMatchObject({ reason: "free", allowed: true });
});

test("[WP30] an ordinary crowd leaves nothing undecided", async () => {
  const crowd = Array.from({ length: 300 }, (_, index) =>
    acquire(`h${index}`, `**/name${index}-*.ts`),
  );
  const { play } = given(create(), ...crowd);
  const paths = Array.from({ length: 500 }, (_, index) => `src/mod${index}/name${index}-x.ts`);
  const { documents, turns } = await check(play.state, paths);
  const reasons = documents.map(({ reason }) => reason);
  expect(reasons.slice(0, 300)).toEqual(Array(300).fill("held_by_other"));
  expect(reasons.slice(300)).not.toContain("undecided");
  expect(documents[0]?.below).toHaveLength(8);
  expect(turns).toBeGreaterThan(10);
});

test("[WP30] with less effort a verdict is the same or none, and below are fewer", () => {
  const { play } = given(
    create(),
    acquire("ann", "src/a/** !**/*.md"),
    acquire("bob", "b/**/b*.ts docs/x"),
    acquire("cid", "src/q/c* docs/y/**", { mode: "shared" }),
  );
  const files = constantFrom("src", "src/a", "src/a/x.md", "src/q/c", "b/b.ts", "docs", "none");
  const seen = new Set<string>();
  const isSame = property(files, integer({ min: 0, max: 600 }), (path, work) => {
    const file = { path, worktree: "main" };
    const asked = { file, holder: { name: "bob" }, isStrict: false, atMs: AT_MS };
    const full = judgePath(play.state, asked);
    const judged = judgePath(play.state, { ...asked, effort: newEffort(work) });
    seen.add(judged.reason);
    const none = { holder: null, fence: null, expires_at_ms: null, lease_id: null };
    const undecided = { allowed: false, reason: "undecided", resolved: path, ...none };
    expect([full, undecided]).toContainEqual(judged);
    const how = { atMs: AT_MS, countMax: 8 };
    const all = leasesBelow(play.state, file, how);
    const below = leasesBelow(play.state, file, { ...how, effort: newEffort(work) });
    expect(below).toEqual(all.slice(0, below.length));
  });
  assert(isSame, { numRuns: 400 });
  expect([...seen].toSorted()).toEqual(["free", "held_by_other", "held_by_you", "undecided"]);
});
