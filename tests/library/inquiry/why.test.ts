// Who may write a path now, and what happened on it.
import { describe, expect, test } from "vitest";
import type { FilePath } from "../../../src/kernel/ground/writing.ts";
import type { Journal } from "../../../src/ports/journal.ts";
import { historyOf, type PathHistoryOptions } from "../../../src/library/inquiry/path-history.ts";
import { standingOf, type StandingDocument } from "../../../src/library/inquiry/standing.ts";
import { record, type Steps } from "../explain/recording.ts";
import {
  acquire,
  act,
  enactLanes,
  leaseOf,
  outside,
  release,
  renew,
  revoke,
  wait,
} from "../../support/lease-scenario.ts";
import {
  after,
  ask,
  create,
  idOf,
  kill,
  type Play,
  quarantine,
  start,
  SUPERVISOR,
  tick,
} from "../../support/scenario.ts";

const api = { name: "api", region: ["src/api/**"] };

function file(path: string, worktree = "main"): FilePath {
  return { path, worktree };
}

async function standing(path: string, ...steps: Steps): Promise<StandingDocument> {
  const { play } = await record(...steps);
  return standingOf(play.state, { file: file(path), atMs: play.atMs });
}

const turn = (): Promise<void> => Promise.resolve();

async function history(
  { play, journal }: { readonly play: Pick<Play, "state">; readonly journal: Journal },
  path: string | FilePath,
  options: Partial<PathHistoryOptions> = {},
) {
  const meant = typeof path === "string" ? file(path) : path;
  const look = { journal, state: play.state, file: meant, named: () => undefined };
  return historyOf(look, { countMax: 10, sinceSeq: 1, turn, ...options });
}

/** Seqs and kinds of what happened, and of what was refused. */
async function past(
  recording: Parameters<typeof history>[0],
  path: string | FilePath,
  options = {},
) {
  const { refusals, events } = await history(recording, path, options);
  return {
    refused: refusals.map(({ seq, code }) => `${seq} ${code}`),
    happened: events.map(({ seq, kind }) => `${seq} ${kind}`),
  };
}

describe("[PY1] who may write a path now", () => {
  test("its holder, with since when, until when and by which fence", async () => {
    const found = await standing(
      "src/api/x",
      create(),
      enactLanes([api]),
      acquire("ann", { lanes: ["api"] }),
      after(5),
      tick,
    );
    expect(found).toMatchObject({
      resolved: "src/api/x",
      writable_by: "holders",
      lanes: [{ name: "api", slots: null, alone: false }],
      leases: [
        {
          lease_id: "l-3",
          holder: "ann",
          is_worker: false,
          may_write: true,
          mode: "exclusive",
          lane: "api",
          region: ["src/api/**"],
          fence: 3,
          granted_at_ms: 1_700_000_000_000,
          expires_at_ms: 1_700_000_060_000,
          lent_of: null,
          lent: [],
          taken_over_from: null,
          orphaned: false,
        },
      ],
    });
  });

  test("a borrower, and not who lent it", async () => {
    const steps: Steps = [
      create(),
      start("p"),
      start("c", { under: "p" }),
      acquire("@p", "src/**"),
      act(["lease.split", "@p"], { region: ["src/api/**"], to: idOf("c"), ttl_ms: 1_000 }),
    ];
    const found = await standing("src/api/x", ...steps);
    expect(found.leases).toMatchObject([
      { lease_id: "l-7", holder: idOf("c"), may_write: true, lent_of: "l-6", lent: [] },
      { lease_id: "l-6", holder: idOf("p"), may_write: false, lent: ["l-7"] },
    ]);
    const beside = await standing("src/web", ...steps);
    expect(beside.leases).toMatchObject([{ lease_id: "l-6", may_write: true, lent: [] }]);
  });

  test.each<[string, string, Steps]>([
    ["anybody", "a", [create()]],
    ["nobody_unleased", "a", [create(), enactLanes([], { require: true })]],
    ["nobody_reads", "a", [create(), acquire("ann", "a", { mode: "shared" })]],
    [
      "alone",
      "a",
      [create(), enactLanes([{ ...api, alone: true }]), acquire("ann", { lanes: ["api"] })],
    ],
    ["nobody_killed", "a", [create(), acquire("ann", "a"), kill]],
    ["anybody", "a", [create(), acquire("ann", "a"), after(60_000)]],
    ["holders", "a", [create(), acquire("ann", "a"), after(59_999)]],
  ])("%s: %s", async (by, path, steps) => {
    expect((await standing(path, ...steps)).writable_by).toBe(by);
  });

  test("in a killed fleet no lease lets anybody write", async () => {
    const { leases } = await standing("a", create(), acquire("ann", "a"), kill);
    expect(leases).toMatchObject([{ holder: "ann", may_write: false }]);
  });

  test("who has slots, who waits, and what is mounted still", async () => {
    const slots = { name: "ui", region: ["ui/**"], slots: 1 };
    const steps: Steps = [
      create(),
      start("p"),
      enactLanes([slots]),
      acquire("@p", { lanes: ["ui"] }),
      (play: Play) =>
        ask(
          "lease.mount",
          { lease: leaseOf(play, "@p").id, worker: idOf("p") },
          { by: SUPERVISOR },
        )(play),
      wait("bob", { lanes: ["ui"] }),
    ];
    const held = await standing("ui/x", ...steps);
    expect(held).toMatchObject({
      writable_by: "holders",
      lanes: [{ name: "ui", slots: 1 }],
      mounts: [{ lease_id: "l-5", worker: idOf("p"), region: ["ui/**"], lapsing: false }],
      waiting: [{ place: "q-7", holder: "bob", mode: "slot", lane: "ui" }],
    });
    expect((await standing("src", ...steps)).waiting).toEqual([]);
    // From its end on a place is nobody's, recorded or not.
    expect((await standing("ui/x", ...steps, after(14_999))).waiting).toHaveLength(1);
    expect((await standing("ui/x", ...steps, after(15_000))).waiting).toEqual([]);
    const over = await standing("ui/x", ...steps, after(60_000), tick);
    expect(over).toMatchObject({
      writable_by: "anybody",
      mounts: [{ lapsing: true }],
      waiting: [],
    });
  });

  test("what is no path of the ground is nobody's", async () => {
    const { play } = await record(create());
    expect(standingOf(play.state, { file: null, atMs: play.atMs })).toMatchObject({
      resolved: null,
      writable_by: "outside",
      leases: [],
    });
  });
});

describe("[PY2] what happened on a path, the newest first", () => {
  test("who was refused, by whose lease, and what came and went", async () => {
    const recording = await record(
      create(),
      acquire("ann", "src/api/**"),
      acquire("bob", "src/**"),
      acquire("cleo", "docs/**"),
      acquire("dora", "docs/x"),
      renew("ann", {}, { as: "bob" }),
      release("ann"),
      acquire("bob", "src/api/x"),
      revoke("bob"),
    );
    const found = await history(recording, "src/api/x");
    expect(found.refusals).toMatchObject([
      {
        seq: 6,
        command: "lease.renew",
        holder: "bob",
        code: "holder_mismatch",
        by_lease: "l-2",
        by_holder: "ann",
      },
      {
        seq: 3,
        command: "lease.acquire",
        holder: "bob",
        code: "conflict",
        by_lease: "l-2",
        by_holder: "ann",
      },
    ]);
    expect(found.events).toMatchObject([
      { seq: 9, kind: "lease.revoked", lease_id: "l-8" },
      { seq: 8, kind: "lease.granted", lease_id: "l-8" },
      { seq: 7, kind: "lease.released", lease_id: "l-2" },
      { seq: 2, kind: "lease.granted", lease_id: "l-2" },
    ]);
    expect(found.events[0]?.said).toBe("lease l-8 was revoked: play");
    expect(found.searched_from_seq).toBe(1);
    // What is beside it happened to others.
    expect(await past(recording, "src/api/y")).toEqual({
      refused: ["6 holder_mismatch", "3 conflict"],
      happened: ["7 lease.released", "2 lease.granted"],
    });
    expect(await past(recording, "elsewhere")).toEqual({ refused: [], happened: [] });
  });

  test("a lease that has given the path back ends elsewhere", async () => {
    const recording = await record(
      create(),
      acquire("ann", "src/**"),
      act(["lease.narrow", "ann"], { region: ["src/api/**"] }),
      act(["lease.hand_over", "ann"], { to: outside("bob") }),
      release("bob"),
    );
    expect((await past(recording, "src/web")).happened).toEqual([
      "3 lease.narrowed",
      "2 lease.granted",
    ]);
    expect((await past(recording, "src/api")).happened).toEqual([
      "5 lease.released",
      "4 lease.handed_over",
      "3 lease.narrowed",
      "2 lease.granted",
    ]);
  });

  test("lanes are those that were in force then", async () => {
    const recording = await record(
      create(),
      enactLanes([{ name: "api", region: ["old/**"] }]),
      acquire("ann", "old/a"),
      acquire("bob", { lanes: ["api"] }),
      enactLanes([{ name: "api", region: ["mid/**"], aliases: ["a"] }]),
      acquire("cleo", "mid/a"),
      acquire("bob", { lanes: ["a"] }),
      enactLanes([{ name: "api", region: ["new/**"] }]),
      acquire("dora", "new/a"),
      acquire("bob", { lanes: ["api"] }),
      acquire("bob", { lanes: ["nope"] }),
    );
    expect((await past(recording, "old/x")).refused).toEqual(["4 conflict"]);
    expect((await past(recording, "mid/x")).refused).toEqual(["7 conflict"]);
    expect((await past(recording, "new/x")).refused).toEqual(["10 conflict"]);
  });

  test("each worktree has a past of its own, where it has ground of its own", async () => {
    const recording = await record(
      create(),
      enactLanes([], { worktrees: "own_ground" }),
      acquire("ann", "a", { worktree: "main" }),
      acquire("bob", "a", { worktree: "w2" }),
      acquire("cleo", "a", { worktree: "w2" }),
    );
    expect(await past(recording, file("a"))).toEqual({
      refused: [],
      happened: ["3 lease.granted"],
    });
    expect(await past(recording, file("a", "w2"))).toEqual({
      refused: ["5 conflict"],
      happened: ["4 lease.granted"],
    });
    const { play } = recording;
    const own = standingOf(play.state, { file: file("a", "w2"), atMs: play.atMs });
    expect(own).toMatchObject({
      resolved: "a",
      leases: [{ holder: "bob", region: ["a"], worktree: "w2" }],
    });
  });

  test("a place in the queue that is refused is about what is waited for", async () => {
    const recording = await record(
      create(),
      start("p"),
      acquire("ann", "src/**"),
      wait("@p", "src/api"),
      quarantine("p"),
      (play: Play) =>
        ask("place.keep", {
          place: [...play.state.book.queue.places.values()][0]?.id ?? "",
          claim: { worker: idOf("p") },
        })(play),
    );
    expect((await past(recording, "src/api")).refused).toEqual(["7 holder_quarantined"]);
    expect((await past(recording, "src/web")).refused).toEqual([]);
  });

  test("a lease that never was is not the place that has its number", async () => {
    const recording = await record(
      create(),
      acquire("ann", "src/**"),
      wait("bob", "src/api"),
      revoke("ann"),
      ask("lease.revoke", { lease: "l-3", reason: "x" }),
    );
    expect((await past(recording, "src/api")).refused).toEqual([]);
  });

  test("a resource of another namespace has a past too", async () => {
    const recording = await record(
      create(),
      acquire("ann", "port:80*"),
      acquire("bob", "port:8080"),
    );
    const port = { path: "8080", worktree: "main", namespace: "port" };
    expect((await past(recording, port)).refused).toEqual(["3 conflict"]);
    expect((await past(recording, "8080")).refused).toEqual([]);
  });
});

describe("[PY3] the journal is read back only as far as it takes", () => {
  const many: Steps = [
    create({ refusals_per_minute: 100_000 }),
    acquire("ann", "a", { ttl_ms: 86_400_000 }),
    ...Array.from({ length: 2_500 }, (_, index) => [
      acquire("bob", "b"),
      release("bob", { lease: `l-${3 + 2 * index}` }),
    ]).flat(),
    acquire("cleo", "a"),
    acquire("cleo", "a/b"),
  ];

  /** A journal that counts the entries that are read of it. */
  function counted(journal: Journal): { readonly journal: Journal; readonly count: () => number } {
    let count = 0;
    const read: Journal["read"] = async (...asked) => {
      const entries = await journal.read(...asked);
      count += entries.length;
      return entries;
    };
    // What else a journal has is not asked for here.
    const counting = {
      read,
      readStored: (...asked: Parameters<Journal["readStored"]>) => journal.readStored(...asked),
      about: (...asked: Parameters<Journal["about"]>) => journal.about(...asked),
      segments: () => journal.segments(),
    } as unknown as Journal;
    return { journal: counting, count: () => count };
  }

  test("to as many as are asked for, to an entry, or to the first", async () => {
    const { play, journal } = await record(...many);
    const near = counted(journal);
    const of = { play, journal: near.journal };
    expect(await past(of, "b", { countMax: 0 })).toEqual({ refused: [], happened: [] });
    const found = await history(of, "b", { countMax: 2, sinceSeq: 4_000 });
    expect(found.events.map(({ seq }) => seq)).toEqual([5_002, 5_001]);
    expect(found.searched_from_seq).toBe(4_000);
    expect(near.count()).toBeLessThan(2_500);
    const whole = await history(of, "a");
    expect(whole.events.map(({ seq }) => seq)).toEqual([2]);
    expect(whole.refusals.map(({ seq }) => seq)).toEqual([5_003]);
    expect(whole.searched_from_seq).toBe(1);
  });

  test("over entries that were lost", async () => {
    const { play, journal } = await record(create(), acquire("ann", "a"), acquire("bob", "a"));
    const head = await journal.head();
    const lost = { remembered_seq: 2 ** 33, remembered_hash: "b".repeat(64), kept_hash: head.hash };
    const recover = ask("fleet.recover", { reason: "a backup", ...lost, workers: [] });
    play.take(recover);
    const { command, by: actor } = recover(play);
    const { kept_seq, epoch } = { kept_seq: head.seq, epoch: 1 };
    const { remembered_seq, remembered_hash, kept_hash } = lost;
    const data = {
      reason: "a backup",
      kept_seq,
      kept_hash,
      remembered_seq,
      remembered_hash,
      epoch,
    };
    const draft = {
      fleet: "f-plays",
      rules: 1,
      id: "r",
      actor,
      command,
      event: { kind: "fleet.recovered", data } as const,
    };
    await journal.append(head, () => [draft]);
    const { seq } = await journal.head();
    expect(seq).toBe(2 ** 33 + 1);
    const found = await history({ play: { state: { ...play.state, seq } }, journal }, "a");
    expect(found.refusals.map((one) => one.seq)).toEqual([3]);
    expect(found.events.map((one) => one.seq)).toEqual([2]);
  });
});
