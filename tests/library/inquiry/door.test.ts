// What a program asks an open fleet about its record.
import { describe, expect, test } from "vitest";
import { memory, Refused, sqlite } from "stint";
import { join } from "node:path";
import { entriesOf, granted, makeFolder, openRoomy, openUnder, rejectionOf } from "../rig.ts";

describe("[PY6] an open fleet says who may write a path", () => {
  test("in the library's names, and writes nothing", async () => {
    const dir = makeFolder();
    const fleet = await openRoomy({ store: sqlite({ dir: join(dir, ".stint") }) });
    const lease = await fleet.acquire({ holder: "ann", region: "src/**" });
    expect((await fleet.tryAcquire({ holder: "bob", region: "src/x" })).ok).toBe(false);
    const before = (await entriesOf(fleet)).length;
    const found = await fleet.why("src/x", { cwd: dir });
    expect(found).toMatchObject({
      path: "src/x",
      resolved: "src/x",
      writableBy: "holders",
      leases: [{ leaseId: lease.id, holder: "ann", mayWrite: true, fence: lease.fence }],
      refusals: [{ code: "conflict", holder: "bob", byLease: lease.id, byHolder: "ann" }],
      events: [{ kind: "lease.granted", leaseId: lease.id }],
      searchedFromSeq: 1,
    });
    expect(Object.isFrozen(found.leases[0])).toBe(true);
    const last = found.events[0]?.seq ?? 0;
    const later = await fleet.why("src/x", { cwd: dir, count: 5, sinceSeq: last + 1 });
    expect(later).toMatchObject({ refusals: [{ code: "conflict" }], events: [] });
    expect((await entriesOf(fleet)).length).toBe(before);
  });

  test("and takes no option that is none", async () => {
    const fleet = await openRoomy();
    const codeOf = async (asked: Promise<unknown>): Promise<unknown> =>
      (await rejectionOf(asked)).code;
    expect(await codeOf(fleet.why("a"))).toBe("usage");
    expect(await codeOf(fleet.why("", { root: "/" }))).toBe("usage");
    expect(await codeOf(fleet.why("a", { count: -1 }))).toBe("usage");
    expect(await codeOf(fleet.why("a", { sinceSeq: 0 }))).toBe("usage");
    expect(await codeOf(fleet.why("a", { since: 1 } as object))).toBe("usage");
  });
});

describe("[RP8] an open fleet replays its record", () => {
  test("all of it, or a part", async () => {
    const fleet = await openRoomy();
    await fleet.start({ name: "a" });
    const { seq } = fleet.metrics();
    const seen: number[] = [];
    const whole = await fleet.replay({ onProgress: (at) => seen.push(at) });
    expect(whole).toMatchObject({
      fromSeq: 1,
      untilSeq: seq,
      differentCount: 0,
      otherwiseCount: 0,
    });
    expect(whole.rules).toMatchObject([{ isCurrent: true, differentCount: 0 }]);
    expect(whole.stateHash).toBe((await fleet.audit()).stateHash);
    expect(seen).toEqual([seq]);
    const part = await fleet.replay({ fromSeq: 2, untilSeq: 2 });
    expect(part).toMatchObject({ untilSeq: 2, rules: [{ decisionCount: 1 }] });
    expect((await rejectionOf(fleet.replay({ fromSeq: 0 }))).message).toContain("options.fromSeq");
    const none = await rejectionOf(fleet.replay({ fromSeq: 3, untilSeq: 2 }));
    expect(none.message).toContain("options.fromSeq must be an entry up to 2, the last");
    expect((await rejectionOf(fleet.replay({ onProgress: 1 } as never))).message).toContain(
      "a function",
    );
  });
});

describe("[WI10] an open fleet tries other rules on its record", () => {
  test("a contract, and ground", async () => {
    const fleet = await openUnder({ maxReplicas: 1 });
    granted(await fleet.tryStart({ name: "a" }));
    expect((await fleet.tryStart({ name: "b" })).ok).toBe(false);
    const found = await fleet.whatIf({
      contract: {
        maxReplicas: 2,
        allowDegraded: ["same_user", "network"],
        maxDepth: 5,
        lifetimeMs: 600_000,
      },
    });
    expect(found).toMatchObject({
      differentCount: 1,
      // As they are called in the journal.
      differentBy: { refusedToGranted: 1 },
      differences: [{ kind: "refused_to_granted", recorded: "max_replicas", wouldBe: "granted" }],
    });
    expect(Object.isFrozen(found)).toBe(true);
    expect(await fleet.whatIf({ ground: { lanes: [] } })).toMatchObject({ differentCount: 0 });
    expect(await fleet.whatIf({ ground: { lanes: [] }, count: 0 })).toMatchObject({
      differences: [],
    });
  });

  test("rules that are refused are thrown, and what is none is told", async () => {
    const fleet = await openRoomy({ store: memory() });
    const broken = { stopConditions: [{ name: "broken", when: "1" }] };
    const error = await rejectionOf(fleet.whatIf({ contract: broken }));
    expect(error).toBeInstanceOf(Refused);
    expect(error.code).toBe("contract_invalid");
    const messageOf = async (options: unknown): Promise<string> =>
      (await rejectionOf(fleet.whatIf(options as never))).message;
    expect(await messageOf({})).toContain("an object with a contract or ground");
    expect(await messageOf({ contract: { maxReplica: 1 } })).toContain("did you mean maxReplicas?");
    expect(await messageOf({ ground: { lanes: 1 } })).toContain("an array of lanes");
    expect(await messageOf({ contract: {}, comparesEvents: 1 })).toContain("true or false");
    expect(await messageOf({ contract: {}, from: 1 })).toContain("did you mean fromSeq?");
  });
});
