import { describe, expect, test } from "vitest";
import { decide } from "../../../src/kernel/decide.ts";
import { RULES, type Entry } from "../../../src/kernel/entry.ts";
import { EVENT_KINDS, type EventKind } from "../../../src/kernel/event.ts";
import { explainEntry } from "../../../src/library/explain/explain.ts";
import { askedWords } from "../../../src/library/explain/asked.ts";
import { entryWords } from "../../../src/library/explain/happened.ts";
import { GENESIS, type Journal } from "../../../src/ports/journal.ts";
import { InputError } from "../../../src/protocol/input.ts";
import { COMMAND_KINDS } from "../../../src/protocol/problem.ts";
import { granted, openRoomy, rejectionOf } from "../rig.ts";
import { failCondition, HOGS, trip, tripFleet } from "../../support/measures.ts";
import { commandOf } from "../../support/commands.ts";
import {
  acquire,
  act,
  enactLanes,
  keep,
  leaseOf,
  leave,
  outside,
  release,
  renew,
  revoke,
  wait,
} from "../../support/lease-scenario.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  FLEET,
  hits,
  idOf,
  kill,
  observe,
  type Play,
  OPERATOR,
  pause,
  quarantine,
  resume,
  self,
  start,
  stop,
  SUPERVISOR,
  SYSTEM,
  tick,
  unquarantine,
} from "../../support/scenario.ts";
import {
  control,
  enactRoster,
  exchange,
  forget,
  heard,
  issue,
  noteService,
  revokeToken,
} from "../../support/service-scenario.ts";
import { record } from "./recording.ts";

const signed = { at_seq: 1, head_hash: "h", state_hash: "s", key_id: "k1", signature: "x" };
const suppressed = { actor_key: "operator", count: 3, window_ms: 60_000 };

/** A life with every kind of event in it. */
const EVERYTHING = [
  create({ on_orphan: "grandparent", reap_after_ms: 60_000, kill_when: HOGS }),
  pause,
  resume,
  enact({ max_replicas: 9 }),
  ask("key.rotate", { key: { key_id: "k2", public_key: "B".repeat(43) } }),
  ask("key.rotate", { key: { key_id: "k1", public_key: "A".repeat(43) } }),
  start("p"),
  start("c", { under: "p" }),
  start("d", { under: "c" }),
  admit("r"),
  ask("worker.checkpoint", { worker: idOf("p"), state: { step: 2 } }),
  observe("p", { silent_ms: 30_000 }),
  observe("p", { silent_ms: 60_000 }),
  observe("p", { silent_ms: 5 }),
  quarantine("d"),
  unquarantine("d"),
  ask("worker.note", { worker: idOf("p"), text: "looked at" }),
  charge("p", { cpu_ms: 5 }, self("p")),
  hits("p", { limit: "memory_bytes", value: 96 * 2 ** 20, use: 2 ** 20, count: 3 }),
  stop("c", { detail: "enough" }),
  exited("c"),
  failCondition("hog"),
  ask("armed.check", { grade: "swept", rung: "a group", took_ms: 9 }, { by: SUPERVISOR }),
  tripFleet("storm", { refusals_per_minute: 10 }),
  resume,
  enactRoster("api"),
  heard("api/1", { silent_ms: 30_000 }),
  control("api"),
  forget("api/1"),
  noteService("api"),
  issue("code", { once: true, label: "tab" }),
  exchange("code", "a"),
  revokeToken("a"),
  ask("halt.request", { handle: "h", reason: "too loud" }),
  admit("x", { under: "nobody" }),
  ask("refusals.suppress", suppressed, { by: SYSTEM }),
  ask("journal.sign", signed, { by: SYSTEM }),
  ask("receipt.record", {
    receipt: { seq: 3, order: "stop", stopped_count: 1, survivor_count: 0, proven: true },
  }),
  ask("clock.accept", { reason: "the battery was flat", wall_ms: 1_700_000_000_000 }),
  enactLanes([{ name: "api", region: ["src/api/**"] }], { worktrees: "own_ground" }),
  ask("lane.announce", { lane: "api", holder: idOf("p"), note: "soon" }),
  acquire("ann", { lanes: ["api"], worktree: "main" }),
  act(["lease.hand_over", "ann"], { to: outside("bob") }),
  act(["lease.narrow", "bob"], { region: ["src/api/x"] }),
  release("bob"),
  acquire("ann", "docs/**", { worktree: "main" }),
  revoke("ann"),
  acquire("cleo", "etc/**", { worktree: "main", ttl_ms: 1_000 }),
  after(30_000),
  acquire("ann", "docs/**", { worktree: "main" }),
  after(40_000),
  renew("ann"),
  wait("bob", "docs/a", { worktree: "main", key: "night" }),
  after(6_000),
  keep("bob"),
  leave("bob"),
  wait("cleo", "docs/a", { worktree: "main" }),
  after(20_000),
  acquire("@p", "src/**", { worktree: "main" }),
  (play: Play) => ask("lease.mount", mountOf(play), { by: SUPERVISOR })(play),
  (play: Play) => ask("lease.fence", { ...mountOf(play), ...WAITED }, { by: SUPERVISOR })(play),
  tick,
  kill,
];

const WAITED = { waited_ms: 12, was_frozen: true } as const;

function mountOf(play: Play): { readonly lease: string; readonly worker: string } {
  return { lease: leaseOf(play, "@p").id, worker: idOf("p") };
}

async function all(journal: Journal): Promise<readonly Entry[]> {
  return journal.read(GENESIS, 1_000);
}

const FACTS: Readonly<Partial<Record<EventKind, RegExp>>> = {
  "fleet.created": /the journal was empty/,
  "roster.enacted": /before it was nobody/,
  "roll.changed": /the roster has it beat every 10000 ms, so that 30000 ms without a beat/,
  "control.requested": /whoever of the name lived by the roll/,
  "roll.forgotten": /[Tt]he roll forgets api\/1\. .* it had stopped or was stale/,
  "service.acted": /[Ss]ervice api was told to start, and after 12 ms it was started/,
  "token.issued": /the login code t-.* of the role viewer, labelled "tab" was issued, good until/,
  "token.revoked": /was revoked\. .* an operator may revoke a token at any time/,
  "token.exchanged": /the code was good until .*, and nobody had spent it/,
  "fleet.paused": /an operator may pause/,
  "fleet.resumed": /an operator may resume/,
  "fleet.killed": /it had 2 live workers and reservations/,
  "place.queued": /bob" may have the ground, somebody else has it .*; its key is "night"/,
  "place.kept": /its holder is still there: it asked before the place's end/,
  "place.left": /whoever waits may stop waiting/,
  "place.lapsed": /it ended at .*, from then on it kept nobody from the ground/,
  "contract.enacted": /Changed: max_replicas 50 → 9\./,
  "key.rotated": /until then it was k2/,
  "worker.admitted": /0 of at most 9 workers lived; 0 of at most 1000 .* depth 0 is at most 3/,
  "worker.registered": /presented for the first time, 30000 ms before it would have lapsed/,
  "worker.lapsed": /before 2023-11-14T22:13:50\.000Z, and at 2023-11-14T22:13:50\.000Z/,
  "lanes.enacted": /1 lane was put in force, "api"; each worktree has ground of its own/,
  "lane.announced": /"api" is about to be worked on by w-p2{15} \("p"\): soon/,
  "lease.granted":
    /lane "api" of worktree "main" was given to "ann", as exclusive, until .*; no other live/,
  "lease.renewed": /was renewed until .* before its end, 2023-11-14T22:14:50.000Z, .* by 40000 ms/,
  "lease.narrowed":
    /narrowed to "worktree\/main\/src\/api\/x"\. .* in what it had, "worktree\/main/,
  "lease.handed_over": /went from "ann" to "bob", until .* it has a new fence/,
  "lease.released": /released by its holder\. .* a holder may release its lease at any time/,
  "lease.revoked": /was revoked: play\. .* an operator may revoke a lease at any time/,
  "lease.mounted": /"src\/\*\*" of lease l-\d+ is mounted in the sandbox of w-p2{15} .* occupied/,
  "lease.fenced": /taken from w-p2{15} .* after 12 ms, frozen meanwhile\. .* read-only/,
  "lease.lapsed": /its time ended at 2023-11-14T22:13:21\.000Z, and nobody had moved its end by/,
  "worker.checkpointed": /running and not in quarantine/,
  "worker.staled": /no beat was counted for 30000 ms, and 30000 ms make/,
  "worker.recovered": /counted 5 ms before/,
  "worker.flagged": /silent for 60000 ms .* reap_after_ms \(60000\), .* silent_alive is "flag"/,
  "worker.limit_hit":
    /limit of 96 MiB of memory \(1 MiB used\), 3 times\. .* once a minute; it was the first/,
  "worker.stopping": /told to stop: its end was asked for \(enough\)/,
  "worker.stopped": /exit code 0\), on evidence of grade observed, which proves it/,
  "worker.reparented": /answers for w-d2{15} \("d"\) .* on_orphan is "grandparent"/,
  "worker.quarantined": /quarantine_max_ms is 86400000/,
  "worker.unquarantined": /within its lifetime, which ends at 2023-11-15T22:13:20\.000Z/,
  "worker.noted": /to any worker that ever was/,
  "budget.charged": /a worker's own word can only add/,
  "condition.tripped":
    /had held for 1000 ms: the fleet is paused\. .* was true of .*_minute":10.* at least the 0 ms/,
  "condition.failed": /"hog" cannot be decided, and stops nobody: no gauge\. .* no reason to stop/,
  "armed.checked":
    /check has failed, contained by a group: .* is "swept"\. .* proof of an end alone, .* 0 ms/,
  "halt.requested": /"h" is asked to halt: too loud.* never carries it out/,
  "command.refused": /refused as parent_unknown/,
  "refusals.suppressed": /up to 60 in 60000 ms/,
  "journal.signed": /up to entry 1 was signed with the key k1.* k1 was the key in force/,
  "receipt.recorded":
    /receipt of the stop ordered by entry 3 was recorded: 1 ended, 0 did not, proven/,
  "clock.accepted": /clock anew, which showed 2023-11-14T22:13:20\.000Z: the battery was flat/,
};

describe("[EX1] an entry is explained by deciding it again", () => {
  test("every kind of event is told with the facts that it rests on", async () => {
    const { journal } = await record(...EVERYTHING.flat());
    const entries = await all(journal);
    for (const kind of EVENT_KINDS.filter((one) => one in FACTS)) {
      // Of a key that was rotated there and back, the way back.
      const entry =
        kind === "key.rotated"
          ? entries.findLast((one) => one.kind === kind)
          : entries.find((one) => one.kind === kind);
      const told = await explainEntry(journal, entry?.seq ?? 0);
      expect(told).toMatchObject({ kind, redecided: "same", at_ms: entry?.at_ms });
      expect(told.text).toMatch(FACTS[kind] ?? /^$/);
      expect(told.text).not.toMatch(/\bunknown\b|NaN|undefined|\[object/);
    }
  });

  test("no kind of event is left out", async () => {
    const { journal } = await record(...EVERYTHING.flat());
    const recorded = new Set((await all(journal)).map(({ kind }) => kind));
    const others = ["fleet.recovered", "worker.adopted"];
    expect(new Set(Object.keys(FACTS))).toStrictEqual(recorded);
    expect(new Set([...recorded, ...others])).toStrictEqual(new Set(EVENT_KINDS));
  });

  test("a pause that follows from an armed check is told as its doing", async () => {
    const { journal } = await record(
      create({ armed_every_ms: 60_000, armed_action: "pause" }),
      ask("armed.check", { grade: null, rung: "x", took_ms: 1 }, { by: SUPERVISOR }),
    );
    const told = await explainEntry(journal, 3);
    expect(told).toMatchObject({ kind: "fleet.paused", redecided: "same" });
    expect(told.text).toContain('an armed check has failed, and armed_action is "pause"');
  });

  test.each([
    ["hog", "worker.quarantined", /quarantine by "kill_when", severity high/],
    ["hog-stop", "worker.stopping", /told to stop: a kill condition held \(kill condition "hog-/],
    ["hog-pause", "fleet.paused", /decided because a kill condition of the contract in force/],
    ["hog-kill", "fleet.killed", /decided because a kill condition .* it had 1 live workers/],
  ] as const)("what follows from %s is told as its doing", async (condition, kind, words) => {
    const { journal } = await record(
      create({ kill_when: HOGS }),
      start("p"),
      trip("p", { condition }),
    );
    const entry = (await all(journal)).find((one) => one.kind === kind);
    const told = await explainEntry(journal, entry?.seq ?? 0);
    expect(told).toMatchObject({ kind, redecided: "same", by_time: false });
    expect(told.text).toMatch(words);
    expect(told.text).toContain(`asked that the kill condition "${condition}" take effect on w-p`);
    expect(told.text).not.toMatch(/an operator may/);
  });

  test("a recovery is told with what was lost, and whom it takes over", async () => {
    const { journal, play } = await record(create(), start("p"));
    const manifest = { ...play.manifestOf("p"), instance: idOf("q"), root: idOf("q"), name: "q" };
    const head = await journal.head();
    const lost = { remembered_seq: 40, remembered_hash: "b".repeat(64), kept_hash: head.hash };
    const command = {
      kind: "fleet.recover",
      data: { reason: "a backup", ...lost, workers: [manifest] },
    } as const;
    const submission = { id: "r1", actor: OPERATOR, command };
    const { events } = decide(play.state, submission, play.atMs);
    await journal.append(head, () =>
      events.map((event, index) => {
        const recorded = index === 0 ? command : null;
        return { fleet: FLEET, rules: RULES, ...submission, command: recorded, event };
      }),
    );
    const [recovered, adopted] = await Promise.all(
      [41, 42].map((seq) => explainEntry(journal, seq)),
    );
    expect(recovered?.text).toMatch(/goes on without entries 4 to 40, which are lost, in epoch/);
    expect(recovered).toMatchObject({ redecided: "same", by_time: false });
    expect(adopted?.text).toMatch(/w-q2{15} \("q"\) of the lost part was taken over as a root/);
    expect((await rejectionOf(explainEntry(journal, 20))).code).toBe("entry_unknown");
  });

  test("every kind of command is told in words of its own", () => {
    const words = COMMAND_KINDS.map((kind) => askedWords(commandOf(kind), () => undefined));
    expect(new Set(words).size).toBe(COMMAND_KINDS.length);
    for (const clause of words) expect(clause).toMatch(/^(to|for|that|what|whether) \S/);
  });

  test("who asked what is told with names, never with claims", async () => {
    const by = { ...OPERATOR, user: "mallory", claimed: ["user"] };
    const { journal } = await record(create(), start("p"), admit("c", { under: "p", by }));
    const told = await explainEntry(journal, 4);
    expect(told.by).toBe('operator "anna"');
    expect(told.asked).toMatch(/^for a worker "c" \(w-c2{15}\) below w-p2{15} \("p"\)/);
    expect(told.text).not.toContain("mallory");
  });

  test("a consequence is told with the command that it followed from", async () => {
    const { journal } = await record(
      create(),
      start("p"),
      start("c", { under: "p" }),
      stop("p", { tree: true }),
    );
    const told = await explainEntry(journal, 7);
    expect(told).toMatchObject({ kind: "worker.stopping", redecided: "same", by_time: false });
    expect(told.asked).toMatch(/^to stop w-p2{15} \("p"\) and its descendants/);
    expect(told.because).toMatch(/^it descends from w-p2{15} \("p"\), which was to stop/);
  });
});

describe("[EX3] what time alone has done", () => {
  test("is told as such, with who brought it to light", async () => {
    const { journal } = await record(create(), admit("a"), after(30_000), admit("b"));
    const [lapsed, admitted] = await Promise.all([3, 4].map((seq) => explainEntry(journal, seq)));
    expect(lapsed).toMatchObject({ kind: "worker.lapsed", by_time: true, redecided: "same" });
    expect(lapsed?.text).toMatch(
      /time alone did this; it came to light when operator "anna" asked/,
    );
    expect(admitted).toMatchObject({ kind: "worker.admitted", by_time: false });
    expect(admitted?.because).toMatch(/; 0 of at most 50 workers lived/);
  });
});

describe("[EX4] deciding it again", () => {
  test("says so when these rules would have decided otherwise", async () => {
    const { journal, play } = await record(create({ max_replicas: 1 }), start("p"));
    const { command, by } = admit("x")(play);
    const admitted = (await all(journal)).find(({ kind }) => kind === "worker.admitted");
    // What a tampered or mistaken writer would have journaled: granted, against the contract.
    const manifest = { ...(admitted as Entry<"worker.admitted">).data.manifest };
    const event = {
      kind: "worker.admitted",
      data: { manifest: { ...manifest, instance: idOf("x") }, reason: "x", degraded: [] },
    } as const;
    const draft = { fleet: FLEET, rules: RULES, id: "forged", actor: by, command, event };
    await journal.append(await journal.head(), () => [draft]);
    const told = await explainEntry(journal, 4);
    expect(told.redecided).toBe("other");
    expect(told.text).toContain("it comes out otherwise");
  });
});

describe("[EX5] an entry that is not there", () => {
  test.each([5, 2 ** 40])("is entry_unknown: %d", async (seq) => {
    const { journal } = await record(create(), start("p"));
    const error = await explainEntry(journal, seq).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ code: "entry_unknown" });
    expect((error as Error).message).toBe(
      `seq must be that of an entry, the newest of which is 3, got ${seq}`,
    );
  });

  test("of an empty journal there is none", async () => {
    const { journal } = await record();
    const error = await rejectionOf(explainEntry(journal, 1));
    expect(error.code).toBe("entry_unknown");
  });

  test.each([0, -1, 1.5, "1", Number.NaN, undefined])("and %s is none at all", async (seq) => {
    const { journal } = await record(create());
    expect((await rejectionOf(explainEntry(journal, seq))).code).toBe("usage");
  });
});

describe("[EX6] an open fleet explains itself", () => {
  test("in the library's names, and writes nothing", async () => {
    const fleet = await openRoomy();
    const parent = await fleet.start({ name: "main" });
    const refused = await parent.maybeReplicate({ name: "x", reason: "more", network: "open" });
    expect(refused.ok).toBe(false);
    const { seq } = fleet.metrics();
    const told = await fleet.explain(seq);
    expect(told).toMatchObject({ seq, code: "rights_exceeded", byTime: false });
    expect(told.wouldPass).toMatch(/with network controller/);
    expect(fleet.metrics().seq).toBe(seq);
    expect(Object.isFrozen(told)).toBe(true);
    expect((await rejectionOf(fleet.explain(seq + 99))).code).toBe("entry_unknown");
    granted(await fleet.tryStart());
  });
});

test("[EX7] a line for people says of a refusal who asked what", async () => {
  const { journal } = await record(create(), admit("x", { under: "nobody" }));
  const [, refused] = await all(journal);
  expect(entryWords(refused as Entry, () => "main")).toMatch(
    /^operator "anna" asked for a worker "x" .*; it was refused as parent_unknown: the parent/,
  );
});
