// What is found of a path by looking back is what going forward through all of it finds.
import { expect, test } from "vitest";
import type { Entry } from "../../../src/kernel/entry.ts";
import { evolve } from "../../../src/kernel/evolve.ts";
import { MAIN_WORKTREE, withoutWorktree } from "../../../src/kernel/ground/worktree.ts";
import type { FilePath } from "../../../src/kernel/ground/writing.ts";
import type { Lease } from "../../../src/kernel/lease/lease.ts";
import { hasResource } from "../../../src/kernel/region/resource.ts";
import { parseRegion } from "../../../src/kernel/region/region.ts";
import { INITIAL_STATE, type State } from "../../../src/kernel/state.ts";
import { leaseChangedBy } from "../../../src/library/inquiry/path-search.ts";
import { historyOf } from "../../../src/library/inquiry/path-history.ts";
import { entriesOf, historyOf as journalOf } from "../../runtime/replaying/histories.ts";

const PATHS = ["src/api/a.ts", "src/a", "docs/x", "a", "b/c", "src/api/gen/x.ts"];

/** Goes forward with the state before each entry, and knows of each lease what it had last. */
class Forward {
  readonly refused: number[] = [];
  readonly happened: number[] = [];
  readonly #file: FilePath;
  readonly #last = new Map<string, Pick<Lease, "region" | "worktree">>();
  #state: State = INITIAL_STATE;

  constructor(file: FilePath) {
    this.#file = file;
  }

  take(entry: Entry): void {
    const before = this.#state;
    this.#state = evolve(before, entry);
    if (this.#isRefused(before, entry)) this.refused.unshift(entry.seq);
    const id = leaseChangedBy(entry);
    const lease =
      id === undefined
        ? undefined
        : (before.book.leases.get(id) ?? this.#state.book.leases.get(id));
    if (lease !== undefined && this.#isOn(lease.region, lease.worktree))
      this.happened.unshift(entry.seq);
    for (const one of this.#state.book.leases.values()) this.#last.set(one.id, one);
    for (const { id: place, grounds, worktree } of this.#state.book.queue.places.values())
      this.#last.set(place, { region: grounds.flatMap(({ region }) => region), worktree });
  }

  #isRefused({ book }: State, { kind, command }: Entry): boolean {
    if (kind !== "command.refused" || command === null) return false;
    const {
      region,
      lanes,
      lease,
      place,
      worktree = MAIN_WORKTREE,
    } = command.data as {
      readonly region?: readonly string[];
      readonly lanes?: readonly string[];
      readonly lease?: string;
      readonly place?: string;
      readonly worktree?: string;
    };
    if (!/^(lease|place)\./.test(command.kind)) return false;
    const about = lease ?? place;
    if (about !== undefined) {
      const had = this.#last.get(about);
      return had !== undefined && this.#isOn(region ?? had.region, had.worktree);
    }
    const where = book.rules.worktrees === "own_ground" ? worktree : null;
    if (region !== undefined) return this.#isOn(region, where);
    return (lanes ?? []).some((name) => {
      const lane = book.lanes.get(name);
      return lane !== undefined && this.#isOn(lane.region, where);
    });
  }

  #isOn(region: readonly string[], worktree: string | null): boolean {
    if (worktree !== null && worktree !== this.#file.worktree) return false;
    const parsed = parseRegion(withoutWorktree(region), this.#state.book.foldsCase);
    const segments = this.#file.path.split("/");
    return parsed.ok && hasResource(parsed.region, { namespace: "file", segments });
  }
}

test("[PY2] in random histories looking back finds what going forward finds", async () => {
  let [refusedCount, happenedCount] = [0, 0];
  for (let seed = 100; seed < 140; seed += 1) {
    const journal = await journalOf(seed, 150);
    const entries = await entriesOf(journal);
    const state = entries.reduce<State>(evolve, INITIAL_STATE);
    for (const path of PATHS) {
      const file = { path, worktree: seed % 2 === 0 ? "main" : "w2" };
      const forward = new Forward(file);
      for (const entry of entries) forward.take(entry);
      const look = { journal, state, file, named: () => undefined };
      const back = await historyOf(look, {
        countMax: 10_000,
        sinceSeq: 1,
        turn: async () => undefined,
      });
      expect(back.refusals.map(({ seq }) => seq)).toEqual(forward.refused);
      expect(back.events.map(({ seq }) => seq)).toEqual(forward.happened);
      refusedCount += forward.refused.length;
      happenedCount += forward.happened.length;
    }
  }
  expect(refusedCount).toBeGreaterThan(100);
  expect(happenedCount).toBeGreaterThan(100);
});
