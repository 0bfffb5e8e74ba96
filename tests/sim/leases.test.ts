// What the simulator's auditor sees of leases: each check must see what it is there to see. The
// entries are real, written by a loop into a journal, and then changed.
import { beforeAll, describe, expect, test } from "vitest";
import { checkAnswer } from "../../sim/audit/answers.ts";
import { Auditor } from "../../sim/audit/auditor.ts";
import { hasResource, isWithin, overlap, problemOf } from "../../sim/audit/grounds.ts";
import { leaseStateProblems } from "../../sim/audit/lease/state.ts";
import { writingProblems, type Question } from "../../sim/audit/lease/writing.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { judgePath } from "../../src/kernel/ground/writing.ts";
import { dropLease, putLease } from "../../src/kernel/lease/book.ts";
import type { Holder, Lease } from "../../src/kernel/lease/lease.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import { parseRegion } from "../../src/kernel/region/region.ts";
import { containmentOf, overlapOf } from "../../src/kernel/region/relation.ts";
import type { State } from "../../src/kernel/state.ts";
import type { Answer, Loop } from "../../src/runtime/loop.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { begin, create, exited, idOf, OPERATOR, self, SIGNER, SUPERVISOR } from "../runtime/rig.ts";
import { rulesBrokenBy } from "./broken-rules.ts";

const TTL_MS = 60_000;
const ci: Holder = { name: "ci", nonce: "n".repeat(26), token_hash: "a".repeat(64) };
const a: Holder = { worker: idOf("a") };

interface Asked {
  readonly command: Command;
  readonly actor: Actor;
  readonly answer: Answer;
}

interface Recorded {
  readonly entries: readonly Entry[];
  readonly asked: readonly Asked[];
}

let real: Recorded;

beforeAll(async () => {
  real = await record();
});

/** Leases that come and go: by lanes and regions, in the way of each other, given on and over. */
async function record(): Promise<Recorded> {
  const clock = new FakeClock();
  const journal = memoryJournal({ clock });
  const loop = await openLoop({ journal, signer: SIGNER, random: seededRandom(1) });
  const asked: Asked[] = [];
  const ask = async (command: Command, actor: Actor = OPERATOR): Promise<void> => {
    asked.push({ command, actor, answer: await loop.submit(command, actor) });
  };
  await ask(create());
  await begin(loop, "a");
  await ask({
    kind: "lanes.enact",
    data: {
      lanes: [{ name: "gate", region: ["port:1"], slots: 1 }],
      worktrees: "one_ground",
      require: false,
    },
  });
  await ask(acquire(a, { region: ["src/**"] }), self("a"));
  await ask(acquire(a, { region: ["src/**"] }), self("a"));
  await ask(acquire(ci, { region: ["src/a"] }));
  await ask(acquire(ci, { lanes: ["gate"] }));
  await ask(acquire(a, { lanes: ["gate"] }), self("a"));
  clock.advance(TTL_MS / 2);
  await ask({ kind: "lease.renew", data: { lease: newest(loop, ci).id, claim: ci } });
  await ask({ kind: "lease.release", data: { lease: newest(loop, ci).id, claim: { name: "ci" } } });
  clock.advance(TTL_MS / 2);
  await ask({ kind: "clock.tick", data: {} });
  await ask(acquire(a, { region: ["docs/**"] }), self("a"));
  await ask({
    kind: "lease.hand_over",
    data: { lease: newest(loop, a).id, claim: a, to: ci },
  });
  await ask(acquire(a, { region: ["src/**"] }), self("a"));
  await ask({ kind: "worker.stop", data: { worker: idOf("a"), reason: "completed", tree: false } });
  await ask(exited("a"), SUPERVISOR);
  await loop.close();
  return { asked, entries: await journal.read(GENESIS, 100) };
}

function acquire(holder: Holder, more: Partial<CommandMap["lease.acquire"]>): Command {
  return { kind: "lease.acquire", data: { holder, ttl_ms: TTL_MS, ...more } };
}

function newest(loop: Loop, holder: Holder): Lease {
  const name = (one: Holder): string => ("worker" in one ? one.worker : one.name);
  const own = [...loop.state().book.leases.values()].filter(
    (lease) => name(lease.holder) === name(holder),
  );
  const last = own.toSorted((one, other) => other.fence - one.fence)[0];
  if (last === undefined) throw new Error("there must be a lease");
  return last;
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
    return { ...entry, data: { ...data, ...change(data) } } as unknown as Entry;
  });
}

/** The recorded entries without those of a kind; their command moves to who is then first. */
function without(kind: Entry["kind"]): readonly Entry[] {
  return real.entries.flatMap((entry, index) => {
    if (entry.kind === kind) return [];
    const before = real.entries[index - 1];
    const isNext = before?.kind === kind && before.id === entry.id;
    return [isNext ? { ...entry, command: before.command } : entry];
  });
}

describe("leases in a journal", () => {
  test("[SM9] leases as a loop wrote them break no rule", () => {
    expect(rulesBrokenBy(real.entries)).toStrictEqual([]);
    const kinds = new Set(real.entries.map(({ kind }) => kind));
    for (const kind of ["granted", "renewed", "handed_over", "released", "lapsed"] as const)
      expect(kinds).toContain(`lease.${kind}`);
  });

  test("[SM9] two that are in each other's way are seen", () => {
    const wider = changed(
      "lease.granted",
      () => ({ region: ["**"] }),
      ({ lane }) => lane === "gate",
    );
    expect(rulesBrokenBy(wider)).toContain("I1");
    expect(rulesBrokenBy(wider)).toContain("SM9");
  });

  test("[SM9] a refusal without a reason is seen, and one whose facts are not so", () => {
    const free = changed(
      "command.refused",
      () => ({ code: "holder_stale" }),
      ({ code }) => code === "conflict",
    );
    expect(rulesBrokenBy(free)).toContain("SM9");
    const lies: readonly (readonly [string, string, unknown])[] = [
      ["conflict", "witness", "docs/a"],
      ["conflict", "lease_id", "l-99"],
      ["conflict", "own", true],
      ["conflict", "expires_at_ms", 1],
      ["slots_full", "held", 2],
      ["slots_full", "next_expires_at_ms", 1],
      ["holder_mismatch", "lease_id", "l-99"],
    ];
    for (const [code, fact, value] of lies) {
      const lying = changed(
        "command.refused",
        ({ facts }) => ({ facts: { ...(facts as object), [fact]: value } }),
        (data) => data["code"] === code,
      );
      expect([code, fact, ...rulesBrokenBy(lying)]).toContain("SM9");
    }
  });

  test("[SM9] a grant, a renewal and a release that should not be are seen", () => {
    const cases: readonly (readonly [Entry["kind"], object])[] = [
      ["lease.granted", { holder: { ...ci, name: "ci " } }],
      ["lease.granted", { ttl_ms: 1_000 }],
      ["lease.granted", { mode: "shared" }],
      ["lease.renewed", { expires_at_ms: 10 ** 15 }],
      ["lease.handed_over", { to: a }],
      ["lease.released", { cause: "holder" }],
    ];
    for (const [kind, change] of cases)
      expect([kind, ...rulesBrokenBy(changed(kind, () => change))]).toContain("SM9");
  });

  test("[SM9] what time ends and is not said, and what is said too early, are seen", () => {
    expect(rulesBrokenBy(without("lease.lapsed"))).toContain("I8");
    const early = real.entries.map((entry) =>
      entry.kind === "lease.lapsed" ? { ...entry, at_ms: entry.at_ms - 1 } : entry,
    );
    expect(rulesBrokenBy(early)).toContain("I8");
  });

  test("[SM9] ground that is kept by who completed is seen", () => {
    expect(rulesBrokenBy(without("lease.released"))).toContain("SM9");
  });

  test("[SM2] a state whose leases are not those of the events is seen", () => {
    const { auditor, state, lease } = atFirstLease();
    expect(leaseStateProblems(auditor.ledger.ground, state)).toStrictEqual([]);
    const { book } = state;
    const other = (fields: Partial<Lease>): State => {
      return { ...state, book: putLease(book, { ...lease, ...fields }) };
    };
    const cases: readonly (readonly [State, string])[] = [
      [{ ...state, book: dropLease(book, lease.id) }, "I8"],
      [other({ id: "l-99" }), "I8"],
      [other({ fence: 1 }), "I2"],
      [other({ expires_at_ms: 1 }), "SM2"],
      [other({ lender: "l-1" }), "SM2"],
    ];
    for (const [changedState, rule] of cases) {
      const found = leaseStateProblems(auditor.ledger.ground, changedState);
      expect(found.map((problem) => problem.rule)).toContain(rule);
    }
  });
});

/** The recorded fleet right after its first lease was granted. */
function atFirstLease(): { auditor: Auditor; state: State; lease: Lease } {
  const auditor = new Auditor();
  auditor.see(real.entries.slice(0, real.entries.findIndex(isGrant) + 1));
  const { state } = auditor;
  const [lease] = state.book.leases.values();
  if (lease === undefined) throw new Error("there must be a lease");
  return { auditor, state, lease };
}

function isGrant({ kind }: Entry): boolean {
  return kind === "lease.granted";
}

describe("answers about leases", () => {
  test("[SM4] whoever is answered without an entry has what he asked for", () => {
    const auditor = new Auditor();
    auditor.see(real.entries);
    for (const { command, actor, answer } of real.asked)
      checkAnswer(auditor, { id: null, command, actor }, answer);
    expect(auditor.violations).toStrictEqual([]);
    const [, again] = real.asked.filter(({ answer }) => answer.ok && isOnSource(answer, real));
    if (again?.answer.ok !== true) throw new Error("the second request must be answered");
    expect(again.answer.entries).toStrictEqual([]);
    const others: readonly Command[] = [
      acquire(ci, { region: ["src/**"] }),
      acquire(a, { region: ["src/a"] }),
      acquire(a, { region: ["src/**"], key: "k" }),
      acquire(a, { lanes: ["gate"] }),
      { kind: "lease.renew", data: { lease: "l-1", claim: a } },
      { kind: "lease.release", data: { lease: "l-5", claim: a } },
      { kind: "lease.narrow", data: { lease: "l-5", claim: a, region: ["src/a"] } },
    ];
    for (const command of others) {
      checkAnswer(auditor, { id: null, command, actor: OPERATOR }, again.answer);
      expect(auditor.violations.at(-1)?.rule).toBe("SM4");
    }
    expect(auditor.violations).toHaveLength(others.length);
  });
});

/** Whether an answer is one to a request for the sources. */
function isOnSource(answer: Answer, { asked }: Recorded): boolean {
  const found = asked.find((one) => one.answer === answer);
  if (found?.command.kind !== "lease.acquire") return false;
  return found.command.data.region?.[0] === "src/**";
}

describe("questions whether somebody may write", () => {
  test("[SM10] what the rules say is right, and whatever else they could say is not", () => {
    const { state, lease } = atFirstLease();
    const file = { path: "src/a", worktree: "main" };
    const own: Question = { file, holder: a, isStrict: false, atMs: state.at_ms };
    const cases: readonly (readonly [Question, string])[] = [
      [own, "held_by_you"],
      [{ ...own, fence: lease.fence }, "held_by_you"],
      [{ ...own, fence: lease.fence - 1 }, "fence_stale"],
      [{ ...own, holder: ci }, "held_by_other"],
      [{ ...own, holder: ci, file: { ...file, path: "docs/a" } }, "free"],
      [{ ...own, holder: { worker: idOf("z") } }, "outside_rights"],
      [{ ...own, atMs: lease.expires_at_ms }, "lapsed"],
    ];
    for (const [asked, reason] of cases) {
      const verdict = judgePath(state, asked);
      expect(verdict.reason).toBe(reason);
      expect(writingProblems(state, asked, verdict)).toStrictEqual([]);
      const turned = { ...verdict, allowed: !verdict.allowed };
      expect(writingProblems(state, asked, turned).map(({ rule }) => rule)).toContain("SM10");
    }
  });
});

describe("regions by trying", () => {
  const PATTERNS: readonly (readonly string[])[] = [
    ["**"],
    ["src/**"],
    ["src/**", "!src/gen/**"],
    ["src/api/**"],
    ["src/api/a"],
    ["src/*/a"],
    ["**/a"],
    ["docs/a", "port:1"],
    ["port:1"],
    ["branch:main"],
    ["*:**"],
    ["SRC/api/**"],
    ["worktree/main/**"],
    ["worktree/w1/src/**"],
  ];

  test("[SM9] it agrees with the automata on all that a simulated world asks for", () => {
    const parsed = (patterns: readonly string[], foldsCase: boolean) => {
      const found = parseRegion(patterns, foldsCase);
      if (!found.ok) throw new Error(`${patterns.join(" ")} must be a region`);
      return found.region;
    };
    for (const foldsCase of [false, true])
      for (const patterns of PATTERNS)
        for (const others of PATTERNS) {
          const [one, other] = [
            { patterns, foldsCase },
            { patterns: others, foldsCase },
          ];
          const [left, right] = [parsed(patterns, foldsCase), parsed(others, foldsCase)];
          const said = [overlap(one, other), isWithin(one, other)];
          const known = [
            overlapOf(left, right).kind === "overlap",
            containmentOf(left, right).kind === "inside",
          ];
          expect([patterns, others, ...said]).toStrictEqual([patterns, others, ...known]);
        }
  });

  test("[SM9] it tells what is no region", () => {
    const of = (...patterns: readonly string[]) => problemOf({ patterns, foldsCase: false });
    expect(of("src//api")).toBe("region_invalid");
    expect(of("src/a", "!src/**")).toBe("region_invalid");
    expect(of("{a,b}".repeat(11))).toBe("region_too_large");
    expect(of("src/{api,gen}/")).toBe(null);
    const ground = { patterns: ["src/{api,gen}/"], foldsCase: false };
    expect(hasResource(ground, "src/gen/x/y")).toBe(true);
    expect(hasResource(ground, "src/a")).toBe(false);
  });
});
