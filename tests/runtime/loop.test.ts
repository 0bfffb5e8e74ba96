import { expect, test } from "vitest";
import type { Command } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { findViolations } from "../../src/kernel/invariants/invariants.ts";
import { evolve } from "../../src/kernel/evolve.ts";
import { Fault } from "../../src/ports/fault.ts";
import { INITIAL_STATE } from "../../src/kernel/state.ts";
import { replay } from "../../src/runtime/replay.ts";
import { SYSTEM_TIMERS, type Timers } from "../../src/runtime/timers.ts";
import { FaultyJournal } from "./faulty-journal.ts";
import {
  admit,
  begin,
  create,
  exited,
  granted,
  idOf,
  KILL,
  lettersOf,
  manifestIn,
  note,
  OPERATOR,
  PAUSE,
  refused,
  register,
  RESUME,
  Rig,
  self,
  stop,
  SUPERVISOR,
  TICK,
} from "./rig.ts";

/** A rig whose loops work on a journal that can be made to fail. */
function faulty(): { readonly rig: Rig; readonly journal: FaultyJournal } {
  let journal: FaultyJournal | undefined;
  const rig = new Rig((inner) => (journal = new FaultyJournal(inner)));
  return { rig, journal: journal ?? fail() };
}

/** Timers under which pauses take no time. */
const UNHURRIED: Timers = { ...SYSTEM_TIMERS, wait: () => SYSTEM_TIMERS.turn() };

test("[RT1] the live state is that of the replay, also in the order of keys", async () => {
  const rig = new Rig();
  // What a request leaves out comes after what it says, unless somebody puts it in order.
  const loop = await rig.found({ default_child: { units: { a: 1 } } });
  await begin(loop, "p", { budget: { units: { z: 9, a: 9 } } });
  await begin(loop, "c", { parent: idOf("p"), budget: { units: { z: 2 } } });
  const { state } = await replay(rig.journal);
  const live = loop.state().workers.get(idOf("c"));
  expect(live?.granted.units).toEqual({ a: 1, z: 2 });
  expect(JSON.stringify(live)).toBe(JSON.stringify(state.workers.get(idOf("c"))));
  await loop.close();
});

test("[RT2] commands of one turn share an append, decided one after another", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({ max_replicas: 2 });
  const before = journal.appendCount;
  const answers = await Promise.all(
    ["a", "b", "c"].map((name) => loop.submit(admit(name), OPERATOR)),
  );
  expect(journal.appendCount - before).toBe(1);
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, false]);
  expect(await refused(Promise.resolve(answers[2] ?? fail()))).toMatchObject({
    code: "max_replicas",
    facts: { live: 2 },
  });
  await loop.close();
});

test("[RT3] an append carries no more commands than its limit", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({ max_replicas: 1_000 });
  const count = LIMITS.batchCommandsMax + 1;
  journal.batchSizes.length = 0;
  await Promise.all(
    Array.from({ length: count }, (_, index) => loop.submit(admit(lettersOf(index)), OPERATOR)),
  );
  expect(journal.batchSizes).toEqual([LIMITS.batchCommandsMax, 1]);
  await loop.close();
});

test("[RT4] sixteen callers need hardly more appends than one", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found();
  await begin(loop, "a");
  const before = journal.appendCount;
  const call = async (): Promise<void> => {
    for (let count = 0; count < 25; count += 1) await granted(loop.submit(note("a"), OPERATOR));
  };
  await Promise.all(Array.from({ length: 16 }, call));
  // 400 commands: one caller alone would have needed as many appends.
  expect(journal.appendCount - before).toBeLessThanOrEqual(26);
  await loop.close();
});

test("[RT5] a head that has moved is looked at first (replication A1)", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({ max_replicas: 1 });
  const other = await rig.open();
  journal.troubles.push({
    kind: "meanwhile",
    run: () => granted(other.submit(admit("b"), OPERATOR)),
  });
  const refusal = await refused(loop.submit(admit("a"), OPERATOR));
  expect(refusal.code).toBe("max_replicas");
  expect(loop.state().live_count).toBe(1);
  await Promise.all([loop.close(), other.close()]);
});

test("[RT5] many loops on one journal never exceed a limit in force (replication A2)", async () => {
  const rig = new Rig();
  const first = await rig.found(
    { max_replicas: 4, max_total: 40, refusals_per_minute: 1_000 },
    { timers: UNHURRIED },
  );
  const loops = await Promise.all(Array.from({ length: 8 }, () => rig.open({ timers: UNHURRIED })));
  await Promise.all(
    loops.map(async (loop, index) => {
      for (let round = 0; round < 12; round += 1) {
        const name = lettersOf(index * 12 + round);
        const answer = await loop.submit(admit(name), OPERATOR);
        if (!answer.ok) continue;
        await granted(loop.submit(register(manifestIn(answer.entries)), OPERATOR));
        await granted(loop.submit(exited(name), SUPERVISOR));
      }
    }),
  );
  let state = INITIAL_STATE;
  let most = 0;
  for (const entry of await rig.entries()) {
    const next = evolve(state, entry);
    expect(findViolations(state, entry, next)).toEqual([]);
    most = Math.max(most, next.live_count);
    state = next;
  }
  expect(most).toBe(4);
  expect(state.total_count).toBeLessThanOrEqual(40);
  for (const loop of [...loops, first]) {
    expect(await loop.look()).toEqual(await first.look());
    await loop.close();
  }
});

test("[RT6] whoever never finds the head in time is told that the storage is busy", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({}, { timers: UNHURRIED });
  const head = journal.head.bind(journal);
  // Somebody else is always faster: nothing that is read is new, and no append holds.
  journal.append = async () => ({ kind: "moved", head: await head() });
  const fault = await loop.submit(PAUSE, OPERATOR).catch((error: unknown) => error);
  expect(fault).toMatchObject({ name: "Fault", code: "storage_busy", retryable: true });
  expect((fault as Error).message).toContain(`${LIMITS.appendAttemptsMax} attempts`);
  expect(loop.state().status).toBe("open");
});

test("[RT7] a decision without events appends nothing", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await granted(loop.submit(PAUSE, OPERATOR));
  const kinds = await rig.kinds();
  const answer = await granted(loop.submit(PAUSE, OPERATOR));
  expect(answer).toEqual({ ok: true, seq: loop.head().seq, entries: [] });
  expect(await rig.kinds()).toEqual(kinds);
  await loop.close();
});

test("[RT8] a decision's entries share its id, and the first carries the command", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  await begin(loop, "b", { parent: idOf("a") });
  const command: Command = {
    kind: "worker.stop",
    data: { worker: idOf("a"), reason: "requested", tree: true },
  };
  const [{ entries }] = await Promise.all([
    granted(loop.submit(command, OPERATOR)),
    granted(loop.submit(PAUSE, OPERATOR)),
  ]);
  expect(entries.map((entry) => entry.kind)).toEqual(["worker.stopping", "worker.stopping"]);
  expect(entries.map((entry) => entry.command)).toEqual([command, null]);
  expect(new Set(entries.map((entry) => entry.id)).size).toBe(1);
  expect(entries[0]?.id).toMatch(/^c-[a-z2-7]{28}$/);
  expect(entries[0]?.actor).toEqual(OPERATOR);
  const all = await rig.entries();
  expect(all.filter((entry) => entry.id === entries[0]?.id)).toHaveLength(2);
  await loop.close();
});

test.each(["after", "before"] as const)(
  "[RT9] a command whose append is unknown is carried once (lost %s the commit)",
  async (kind) => {
    const { rig, journal } = faulty();
    const loop = await rig.found({ max_replicas: 5 }, { timers: UNHURRIED });
    journal.troubles.push({ kind, code: "append_unknown" }, { kind, code: "append_unknown" });
    const names = ["a", "b", "c"];
    const answers = await Promise.all(names.map((name) => loop.submit(admit(name), OPERATOR)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
    const admitted = (await rig.entries()).filter((entry) => entry.kind === "worker.admitted");
    expect(admitted.map((entry) => entry.data.manifest.name)).toEqual(names);
    for (const [index, answer] of answers.entries())
      expect(answer.ok && answer.entries).toEqual([admitted[index]]);
    expect(loop.state().live_count).toBe(3);
    await loop.close();
  },
);

test("[RT9] what stays unknown is answered soon, however long the disk fails", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({}, { timers: SYSTEM_TIMERS });
  const append = journal.append.bind(journal);
  let failing = 0;
  journal.append = () => {
    failing += 1;
    return Promise.reject(new Fault("append_unknown", "a disk fails", { retryable: true }));
  };
  const askedAtMs = performance.now();
  const faults = ["a", "b"].map((name) =>
    loop.submit(admit(name), OPERATOR).catch((error: unknown) => error),
  );
  for (const fault of await Promise.all(faults))
    expect(fault).toMatchObject({ code: "append_unknown", retryable: true });
  const tookMs = performance.now() - askedAtMs;
  expect(tookMs).toBeGreaterThanOrEqual(LIMITS.appendUnknownMs - 50);
  expect(tookMs).toBeLessThan(LIMITS.appendUnknownMs * 2);
  // It is tried again and again meanwhile, with pauses.
  expect(failing).toBeGreaterThan(10);
  expect(failing).toBeLessThan(LIMITS.appendAttemptsMax / 2);
  journal.append = append;
  await granted(loop.submit(PAUSE, OPERATOR));
  await loop.close();
});

test("[RT9] what stays unknown is never called anything else", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({}, { timers: UNHURRIED });
  journal.troubles.push({ kind: "after", code: "append_unknown" });
  const answer = loop.submit(PAUSE, OPERATOR);
  await SYSTEM_TIMERS.turn();
  journal.readFault = "storage_failed";
  await expect(answer).rejects.toMatchObject({ code: "append_unknown" });
  journal.readFault = undefined;
  expect((await loop.look()).status).toBe("paused");
});

test.each(["storage_full", "storage_busy", "clock_skew"] as const)(
  "[RT10] a fault %s is everybody's answer, and the next command goes well",
  async (code) => {
    const { rig, journal } = faulty();
    const loop = await rig.found();
    journal.troubles.push({ kind: "before", code });
    const both = await Promise.allSettled([
      loop.submit(admit("a"), OPERATOR),
      loop.submit(admit("b"), OPERATOR),
    ]);
    for (const one of both)
      expect(one).toMatchObject({ status: "rejected", reason: { name: "Fault", code } });
    await granted(loop.submit(admit("a"), OPERATOR));
    await loop.close();
  },
);

test("[RT11] a journal shorter than seen stops the loop for good (replication B8)", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found();
  await begin(loop, "a");
  const head = journal.head.bind(journal);
  journal.head = async () => ({ ...(await head()), seq: 1 });
  await expect(loop.look()).rejects.toMatchObject({ code: "journal_truncated" });
  journal.head = head;
  // The store may pretend to be whole again: nobody can know what was lost in between.
  await expect(loop.look()).rejects.toMatchObject({ code: "journal_truncated" });
  const appendCount = journal.appendCount;
  await expect(loop.submit(PAUSE, OPERATOR)).rejects.toMatchObject({ code: "journal_truncated" });
  expect(journal.appendCount).toBe(appendCount);
  expect(loop.state().live_count).toBe(1);
  await loop.close();
});

test("[RT11] a journal with another entry in the place that was seen stops the loop", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found();
  journal.head = async () => ({ seq: loop.head().seq, hash: "f".repeat(64) });
  await expect(loop.look()).rejects.toMatchObject({ code: "journal_forked" });
  await expect(loop.submit(KILL, OPERATOR)).rejects.toMatchObject({ code: "journal_forked" });
  await loop.close();
});

test("[RT11] a journal found broken by an append stops the loop", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found();
  journal.troubles.push({ kind: "before", code: "journal_corrupt" });
  await expect(loop.submit(PAUSE, OPERATOR)).rejects.toMatchObject({ code: "journal_corrupt" });
  await expect(loop.submit(PAUSE, OPERATOR)).rejects.toMatchObject({ code: "journal_corrupt" });
  expect(rig.warnings).toContain("the journal cannot be trusted any more");
  await loop.close();
});

test("[RT12] a command that breaks the rules' own code harms no other", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  // No rule knows such a kind; the doors let none in.
  const broken = { kind: "no.such", data: {} } as unknown as Command;
  const [one, two, three] = await Promise.allSettled([
    loop.submit(admit("a"), OPERATOR),
    loop.submit(broken, OPERATOR),
    loop.submit(admit("b"), OPERATOR),
  ]);
  expect([one.status, two.status, three.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(loop.state().live_count).toBe(2);
  await loop.close();
});

test("[RT13] what a caller changes afterwards counts not (replication A13, A14)", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const state = { part: "a", list: [1] };
  const actor = { ...OPERATOR };
  const answer = loop.submit(admit("a", { state }), actor);
  state.part = "b";
  state.list.push(2);
  actor.id = "mallory";
  const { entries } = await granted(answer);
  expect(manifestIn(entries).state).toEqual({ list: [1], part: "a" });
  expect(entries[0]?.actor.id).toBe("anna");
  (state as { part: string }).part = "c";
  expect(loop.state().workers.get(idOf("a"))?.state).toEqual({ list: [1], part: "a" });
  expect(() => {
    (manifestIn(entries) as { depth: number }).depth = -50;
  }).toThrow(TypeError);
  expect(loop.state().workers.get(idOf("a"))?.depth).toBe(0);
  await loop.close();
});

test("[RT14] listeners hear every entry once, in order, whoever wrote it", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const heard: Entry[] = [];
  loop.onEntry(() => {
    throw new Error("a stranger's bug");
  });
  const stopListening = loop.onEntry((entry) => {
    heard.push(entry);
    expect(Object.isFrozen(entry.data)).toBe(true);
    // The state is that after the entry, or a later one.
    expect(loop.head().seq).toBeGreaterThanOrEqual(entry.seq);
  });
  const from = loop.head().seq;
  const other = await rig.open();
  await begin(loop, "a");
  await begin(other, "b");
  await Promise.all([loop.submit(note("a"), OPERATOR), other.submit(note("b"), OPERATOR)]);
  await rig.timers.settle();
  await loop.look();
  const all = await rig.entries();
  expect(heard).toEqual(all.filter(({ seq }) => seq > from));
  expect(heard.length).toBe(6);
  stopListening();
  await granted(loop.submit(PAUSE, OPERATOR));
  expect(heard.length).toBe(6);
  expect(rig.warnings).toContain("a listener to entries threw");
  await Promise.all([loop.close(), other.close()]);
});

test("[RT15] a hint of the journal is enough to catch up", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const other = await rig.open();
  const told = new Promise<Entry>((resolve) => {
    other.onEntry((entry) => entry.kind === "fleet.paused" && resolve(entry));
  });
  await granted(loop.submit(PAUSE, OPERATOR));
  await told;
  expect(other.state().status).toBe("paused");
  await Promise.all([loop.close(), other.close()]);
});

test("[RT16] a closed loop refuses commands, after it has carried those it had", async () => {
  const { rig } = faulty();
  const loop = await rig.found();
  const last = loop.submit(admit("a"), OPERATOR);
  const closing = loop.close();
  await expect(loop.submit(admit("b"), OPERATOR)).rejects.toMatchObject({ code: "closed" });
  await granted(last);
  await closing;
  await loop.close();
  await expect(loop.submit(admit("b"), OPERATOR)).rejects.toMatchObject({ code: "closed" });
  expect(await rig.kinds()).toEqual(["fleet.created", "worker.admitted"]);
  expect(rig.timers.count).toBe(0);
});

test("[RT17] a kill overtakes commands that wait (replication A18)", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const earlier = [loop.submit(admit("a"), OPERATOR), loop.submit(admit("b"), OPERATOR)];
  await granted(loop.submit(KILL, OPERATOR));
  for (const answer of earlier) expect((await refused(answer)).code).toBe("fleet_killed");
  await loop.close();
});

test("[RT18] what a journal makes last is what is answered", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found();
  journal.troubles.push({ kind: "twice" });
  const { entries } = await granted(loop.submit(admit("a"), OPERATOR));
  expect(manifestIn(entries).issued_at_ms).toBe(entries[0]?.at_ms);
  expect(loop.state().workers.get(idOf("a"))?.admitted_at_ms).toBe(entries[0]?.at_ms);
  expect(loop.timeMs()).toBe(entries[0]?.at_ms);
  await loop.close();
});

test("[RT19] who has ended is known from who never was (replication B1, B4)", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  await begin(loop, "b");
  const code = async (command: Command): Promise<string> =>
    (await refused(loop.submit(command, OPERATOR))).code;
  // In one append: a worker that ends in it has ended for those after.
  const [, after] = await Promise.all([
    loop.submit(exited("a"), SUPERVISOR),
    loop.submit(stop("a"), OPERATOR),
  ]);
  expect(after).toMatchObject({ refusal: { code: "worker_ended" } });
  await granted(loop.submit(exited("b"), SUPERVISOR));
  // Also one that was admitted in that very append.
  const end: Command = { kind: "worker.write_off", data: { worker: idOf("d"), reason: "odd" } };
  const [, , late] = await Promise.all([
    loop.submit(admit("d"), OPERATOR),
    loop.submit(end, OPERATOR),
    loop.submit(stop("d"), OPERATOR),
  ]);
  expect(late).toMatchObject({ refusal: { code: "worker_ended" } });
  expect(loop.state().workers.size).toBe(0);

  expect(await code(stop("a"))).toBe("worker_ended");
  expect(await code(admit("c", { parent: idOf("b") }))).toBe("parent_not_running");
  // Refusals that name somebody do not make him real, however often; nor do they bury the dead.
  for (let count = 0; count < 3; count += 1) {
    expect(await code(stop("q"))).toBe("worker_unknown");
    expect(await code(admit("c", { parent: idOf("q") }))).toBe("parent_unknown");
    await refused(loop.submit(stop("q"), self("z")));
    await refused(loop.submit(stop("b"), self("z")));
  }
  expect(await code(stop("q"))).toBe("worker_unknown");
  expect(await code(stop("b"))).toBe("worker_ended");
  const recorded = (await rig.entries()).findLast((entry) => entry.kind === "command.refused");
  expect(recorded?.command).toMatchObject({ kind: "worker.stop", ended: idOf("b") });
  await loop.close();
});

test("[LB113] a lease that begins and ends in one append has ended for those after", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const holder = { name: "ann", nonce: "a".repeat(26), token_hash: "b".repeat(64) };
  const data = { region: ["src/**"], holder, ttl_ms: 60_000 };
  const named = { lease: `l-${loop.head().seq + 1}`, claim: { token_hash: "b".repeat(64) } };
  const renew: Command = { kind: "lease.renew", data: named };
  const answers = await Promise.all([
    loop.submit({ kind: "lease.acquire", data }, OPERATOR),
    loop.submit({ kind: "lease.release", data: named }, OPERATOR),
    loop.submit(renew, OPERATOR),
  ]);
  expect(answers).toMatchObject([
    { ok: true },
    { ok: true },
    { refusal: { code: "lease_ended", facts: { lease_id: named.lease } } },
  ]);
  const recorded = (await rig.entries()).findLast((entry) => entry.kind === "command.refused");
  expect(recorded?.command).toMatchObject({ kind: "lease.renew", ended: named.lease });
  // Nor does a worker come from a lease's id, or a lease from a worker's.
  const unknown = async (command: Command): Promise<string> =>
    (await refused(loop.submit(command, OPERATOR))).code;
  const note = (worker: string): Command => ({ kind: "worker.note", data: { worker, text: "x" } });
  await begin(loop, "a");
  await granted(loop.submit(exited("a"), SUPERVISOR));
  expect(await unknown(note(named.lease))).toBe("worker_unknown");
  const odd: Command = { kind: "lease.renew", data: { ...named, lease: idOf("a") } };
  expect(await unknown(odd)).toBe("lease_unknown");
  await loop.close();
});

test("[RT20] a dead worker's id is never given again (replication A9, A11)", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  await granted(loop.submit(exited("a"), SUPERVISOR));
  expect((await refused(loop.submit(admit("a"), OPERATOR))).code).toBe("instance_taken");
  const spent = register(manifestIn(await rig.entries()));
  expect((await refused(loop.submit(spent, OPERATOR))).code).toBe("manifest_used");
  // Also when it lived and died in the same append.
  const { entries } = await granted(loop.submit(admit("b"), OPERATOR));
  const [, , again] = await Promise.all([
    loop.submit(register(manifestIn(entries)), OPERATOR),
    loop.submit(exited("b"), SUPERVISOR),
    loop.submit(admit("b"), OPERATOR),
  ]);
  expect(again).toMatchObject({ refusal: { code: "instance_taken" } });
  await loop.close();
});

test("[RT21] what time has ended comes with the next command (replication B2)", async () => {
  const rig = new Rig();
  const loop = await rig.found({ register_within_ms: 1_000, max_replicas: 1 });
  await granted(loop.submit(admit("a"), OPERATOR));
  rig.clock.advance(1_000);
  const { entries } = await granted(loop.submit(admit("b"), OPERATOR));
  expect(entries.map(({ kind }) => kind)).toEqual(["worker.lapsed", "worker.admitted"]);
  expect(entries[0]?.command).toMatchObject({ kind: "worker.admit" });
  rig.clock.advance(1_000);
  await granted(loop.submit(TICK, { kind: "system", via: "runtime" }));
  expect(loop.state().live_count).toBe(0);
  await loop.close();
});

test("[RT22] the journal is told the clock tolerance of the contract in force", async () => {
  const { rig, journal } = faulty();
  const loop = await rig.found({ clock_tolerance_ms: 700 });
  expect(journal.tolerances).toEqual([700]);
  const { contract } = loop.state();
  const changed = { ...contract, clock_tolerance_ms: 900 };
  await granted(loop.submit({ kind: "contract.enact", data: { contract: changed } }, OPERATOR));
  expect(journal.tolerances).toEqual([700, 900]);
  const other = await rig.open();
  expect(journal.tolerances).toEqual([700, 900, 900]);
  await Promise.all([loop.close(), other.close()]);
});

test("[RT23] before its fleet is made a journal holds nothing, not even a refusal", async () => {
  const rig = new Rig();
  const loop = await rig.open();
  expect((await refused(loop.submit(RESUME, OPERATOR))).code).toBe("fleet_unknown");
  expect(await rig.entries()).toEqual([]);
  const [made, again] = await Promise.all([
    loop.submit(create(), OPERATOR),
    loop.submit(create(), OPERATOR),
  ]);
  expect(made.ok).toBe(true);
  expect(again).toMatchObject({ refusal: { code: "fleet_exists" } });
  await loop.close();
});

function fail(): never {
  throw new Error("there must be an answer");
}
