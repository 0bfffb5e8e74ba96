// What the simulator's auditor sees of those who wait: each check must see what it is there to see.
// The entries are real, written by a loop into a journal, and then changed.
import { beforeAll, describe, expect, test } from "vitest";
import { checkAnswer } from "../../sim/audit/answers.ts";
import { Auditor } from "../../sim/audit/auditor.ts";
import { isCircle, type Wait } from "../../sim/audit/queue/circle.ts";
import { placeStateProblems } from "../../sim/audit/queue/state.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import type { Holder } from "../../src/kernel/lease/lease.ts";
import { dropPlace, putPlace } from "../../src/kernel/queue/queue.ts";
import type { State } from "../../src/kernel/state.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import type { Answer } from "../../src/runtime/loop.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { create, OPERATOR, SIGNER } from "../runtime/rig.ts";
import { rulesBrokenBy } from "./broken-rules.ts";

interface Asked {
  readonly command: Command;
  readonly actor: Actor;
  readonly answer: Answer;
}

interface Recorded {
  readonly entries: readonly Entry[];
  readonly asked: readonly Asked[];
  readonly atMs: number;
}

let real: Recorded;

beforeAll(async () => {
  real = await record();
});

function party(name: string): Holder {
  return { name, nonce: "n".repeat(26), token_hash: name.padEnd(64, "0") };
}

/** Several wait for what others have: for ground, for a slot, in a circle, in vain. */
async function record(): Promise<Recorded> {
  const clock = new FakeClock();
  const journal = memoryJournal({ clock });
  const loop = await openLoop({ journal, signer: SIGNER, random: seededRandom(1) });
  const asked: Asked[] = [];
  const ask = async (command: Command): Promise<void> => {
    asked.push({ command, actor: OPERATOR, answer: await loop.submit(command, OPERATOR) });
  };
  const acquire = (name: string, more: Partial<CommandMap["lease.acquire"]>): Promise<void> => {
    const data = { holder: party(name), ttl_ms: 60_000, ...more };
    return ask({ kind: "lease.acquire", data });
  };
  const wait = (name: string, more: Partial<CommandMap["lease.acquire"]>): Promise<void> =>
    acquire(name, { wait_ms: 20_000, ...more });
  const placeOf = (name: string): string => {
    const own = asked.findLast(({ command }) => {
      return command.kind === "lease.acquire" && nameOf(command.data.holder) === name;
    });
    if (own?.answer.ok !== true) throw new Error(`${name} must wait`);
    return `q-${own.answer.seq}`;
  };
  const keep = (name: string, place = placeOf(name)): Promise<void> =>
    ask({ kind: "place.keep", data: { place, claim: party(name) } });
  const release = async (name: string): Promise<void> => {
    const own = [...loop.state().book.leases.values()].filter(
      ({ holder }) => nameOf(holder) === name,
    );
    for (const { id: lease } of own)
      await ask({ kind: "lease.release", data: { lease, claim: party(name) } });
  };
  await ask(create());
  const lanes = [{ name: "gate", region: ["port:1"], slots: 1 }];
  await ask({ kind: "lanes.enact", data: { lanes, worktrees: "one_ground", require: false } });
  await acquire("ada", { region: ["src/**"] });
  await wait("bob", { region: ["src/api/**"] });
  const bobs = placeOf("bob");
  await acquire("dora", { lanes: ["gate"] });
  await wait("eve", { lanes: ["gate"] });
  const eves = placeOf("eve");
  clock.advance(6_000);
  await keep("bob", bobs);
  await keep("eve", eves);
  await keep("eve", eves);
  await release("ada");
  await release("dora");
  await acquire("carl", { region: ["src/a", "src/api/a"] });
  await acquire("carl", { lanes: ["gate"] });
  await ask({ kind: "place.keep", data: { place: bobs, claim: party("carl") } });
  await keep("bob", bobs);
  await keep("bob", bobs);
  await keep("eve", eves);
  // A circle: each has what the other waits for.
  await wait("eve", { region: ["src/api/a"] });
  await wait("bob", { lanes: ["gate"] });
  await wait("carl", { region: ["src/api/**"] });
  const carls = placeOf("carl");
  await ask({ kind: "place.cancel", data: { place: carls, reason: "enough" } });
  await keep("carl", carls);
  await ask({ kind: "place.leave", data: { place: carls, claim: party("carl") } });
  clock.advance(16_000);
  await keep("eve");
  clock.advance(10_000);
  await ask({ kind: "clock.tick", data: {} });
  await wait("fay", { region: ["src/api/a"], wait_ms: 5_000 });
  clock.advance(5_000);
  await keep("fay");
  const atMs = loop.state().at_ms;
  await loop.close();
  return { asked, entries: await journal.read(GENESIS, 200), atMs };
}

function nameOf(holder: Holder): string {
  return "worker" in holder ? holder.worker : holder.name;
}

/** The recorded entries, those of a kind that fit otherwise. */
function changed(
  kind: Entry["kind"],
  change: (data: Readonly<Record<string, unknown>>) => object,
  fits: (data: Readonly<Record<string, unknown>>) => boolean = () => true,
): readonly Entry[] {
  return real.entries.map((entry) => {
    const data = entry.data as unknown as Readonly<Record<string, unknown>>;
    if (entry.kind !== kind || !fits(data)) return entry;
    return { ...entry, data: change(data) } as unknown as Entry;
  });
}

describe("those who wait in a journal", () => {
  test("[SM9] a queue as a loop wrote it breaks no rule", () => {
    expect(rulesBrokenBy(real.entries)).toStrictEqual([]);
    const kinds = real.entries.map(({ kind }) => kind);
    for (const kind of ["queued", "kept", "left", "lapsed"] as const)
      expect(kinds).toContain(`place.${kind}`);
    const codes = real.entries.flatMap(({ kind, data }) =>
      kind === "command.refused" ? [data.code] : [],
    );
    for (const code of ["conflict", "slots_full", "holder_mismatch", "wait_deadlock"] as const)
      expect(codes).toContain(code);
    expect(codes).toContain("place_ended");
    expect(codes).toContain("wait_timeout");
  });

  test("[SM11] a grant that passes who came first is seen, and one of a promised slot", () => {
    const isOnLane = ({ lane }: Readonly<Record<string, unknown>>): boolean => lane === "gate";
    for (const isSlot of [false, true]) {
      const passing = changed(
        "lease.granted",
        (data) => Object.fromEntries(Object.entries(data).filter(([key]) => key !== "place")),
        (data) => data["place"] !== undefined && isOnLane(data) === isSlot,
      );
      expect(rulesBrokenBy(passing)).toContain("SM11");
      expect(rulesBrokenBy(passing)).toContain("SM9");
    }
  });

  test("[SM9] a place that is given, kept or ended as it should not be is seen", () => {
    const cases: readonly (readonly [Entry["kind"], object])[] = [
      ["place.queued", { deadline_ms: 10 ** 15 }],
      ["place.queued", { until_ms: real.atMs }],
      ["place.queued", { holder: party("mallory") }],
      ["place.queued", { grounds: [] }],
      ["place.queued", { ask: { region: ["docs/**"], ttl_ms: 60_000 } }],
      ["place.kept", { until_ms: 10 ** 15 }],
      ["place.left", { cause: "holder" }],
    ];
    for (const [kind, fields] of cases) {
      const other = changed(kind, (data) => ({ ...data, ...fields }));
      expect([kind, ...rulesBrokenBy(other)]).toContain("SM9");
    }
  });

  test("[SM9] a place that is over and not said to be is seen, and one for another cause", () => {
    const silent = real.entries.flatMap((entry, index) => {
      if (entry.kind === "place.lapsed") return [];
      const before = real.entries[index - 1];
      const isNext = before?.kind === "place.lapsed" && before.id === entry.id;
      return [isNext ? { ...entry, command: before.command } : entry];
    });
    expect(rulesBrokenBy(silent)).toContain("I8");
    const wrong = changed("place.lapsed", (data) => ({ ...data, cause: "deadline" }));
    expect(rulesBrokenBy(wrong)).toContain("I8");
  });

  test("[SM9] a refusal whose facts are not so is seen", () => {
    const lies: readonly (readonly [string, object])[] = [
      ["conflict", { place: "q-99" }],
      ["conflict", { until_ms: 1 }],
      ["conflict", { own: true }],
      ["conflict", { witness: "docs/a" }],
      ["slots_full", { waiting_count: 2 }],
      ["slots_full", { held: 1 }],
      ["holder_mismatch", { place: "q-99" }],
      ["place_ended", { cancelled: "something else" }],
      ["wait_timeout", { deadline_ms: 1 }],
      ["wait_deadlock", { cycle: [{ holder: "bob", waits_for: "eve", by: "l-99" }] }],
      ["wait_deadlock", { cycle: [{ holder: "eve", waits_for: "bob", by: "l-4" }] }],
    ];
    for (const [code, lie] of lies) {
      const lying = changed(
        "command.refused",
        (data) => ({ ...data, facts: { ...(data["facts"] as object), ...lie } }),
        (data) => {
          const facts = data["facts"] as Readonly<Record<string, unknown>>;
          const isAboutWaiting = code !== "conflict" || facts["waiting"] === true;
          return data["code"] === code && isAboutWaiting;
        },
      );
      expect([code, lie, ...rulesBrokenBy(lying)]).toContain("SM9");
    }
  });

  test("[SM2] a state in which others wait than the events say is seen", () => {
    const { auditor, state } = whileTwoWait();
    expect(placeStateProblems(auditor.ledger.queue, state)).toStrictEqual([]);
    const { queue } = state.book;
    const [place] = queue.places.values();
    if (place === undefined) throw new Error("somebody must wait");
    const others = [dropPlace(queue, place.id), putPlace(queue, { ...place, until_ms: 1 })];
    for (const other of others) {
      const changedState: State = { ...state, book: { ...state.book, queue: other } };
      expect(placeStateProblems(auditor.ledger.queue, changedState)).toHaveLength(1);
    }
  });
});

/** The recorded fleet right after its second place was taken. */
function whileTwoWait(): { auditor: Auditor; state: State } {
  const auditor = new Auditor();
  const queued = real.entries.filter(({ kind }) => kind === "place.queued");
  auditor.see(real.entries.filter(({ seq }) => seq <= (queued[1]?.seq ?? 0)));
  return { auditor, state: auditor.state };
}

describe("answers to those who wait", () => {
  test("[SM4] who is answered without an entry waits, has what it waited for, or has left", () => {
    const auditor = new Auditor();
    auditor.see(real.entries);
    const silent: Answer[] = [];
    for (const { command, actor, answer } of real.asked) {
      checkAnswer(auditor, { id: null, command, actor, byMs: real.atMs }, answer);
      if (answer.ok && answer.entries.length === 0) silent.push(answer);
    }
    expect(auditor.violations).toStrictEqual([]);
    expect(silent.length).toBeGreaterThan(2);
    const answer = silent[0] as Answer;
    const others: readonly Command[] = [
      { kind: "place.keep", data: { place: "q-99", claim: party("eve") } },
      { kind: "place.keep", data: { place: placed(1), claim: party("bob") } },
      { kind: "place.leave", data: { place: placed(1), claim: party("eve") } },
      { kind: "place.cancel", data: { place: placed(1), reason: "enough" } },
    ];
    for (const command of others) {
      const before = auditor.violations.length;
      checkAnswer(auditor, { id: null, command, actor: OPERATOR, byMs: 0 }, answer);
      expect([command, auditor.violations.length]).toStrictEqual([command, before + 1]);
    }
  });
});

/** The id of one of the recorded places, in the order in which they were taken. */
function placed(index: number): string {
  const queued = real.entries.filter(({ kind }) => kind === "place.queued");
  return `q-${queued[index]?.seq}`;
}

describe("circles by crossing off", () => {
  const ground = (path: string): Wait["stakes"] => [
    { mode: "exclusive", lane: null, alone: false, region: [path] },
  ];

  test("[SM9] who is waited for by whom it waits for is in a circle, nobody else", () => {
    const auditor = new Auditor();
    auditor.see(real.entries.slice(0, indexOfCircle()));
    const scene = { books: auditor.ledger, atMs: auditor.state.at_ms };
    const isIn = (name: string, stakes: Wait["stakes"], key?: string): boolean =>
      isCircle(scene, { holder: party(name), key, rank: Infinity, stakes });
    const slot = { mode: "slot", lane: "gate", alone: false, region: ["port:1"] } as const;
    const gate: Wait["stakes"] = [slot];
    expect(isIn("bob", gate)).toBe(true);
    expect(isIn("bob", [...gate, ...ground("docs/a")])).toBe(false);
    expect(isIn("carl", gate)).toBe(false);
    expect(isIn("bob", ground("src/api/b"))).toBe(true);
    expect(isIn("bob", ground("src/api/b"), "other")).toBe(false);
    expect(isIn("eve", ground("src/api/b"))).toBe(false);
  });

  function indexOfCircle(): number {
    return real.entries.findIndex(
      ({ kind, data }) => kind === "command.refused" && data.code === "wait_deadlock",
    );
  }
});
