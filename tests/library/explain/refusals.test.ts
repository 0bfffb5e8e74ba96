// Every code by which the kernel says no: what is said about it, and that whoever does what it says
// would have helped is granted the very same command.

import { describe, expect, test } from "vitest";
import { REFUSAL_CODES, type RefusalCode } from "../../../src/kernel/refusal.ts";
import { explainEntry } from "../../../src/library/explain/explain.ts";
import { remedyFor } from "../../../src/library/explain/remedy.ts";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import { HOGS, trip } from "../../support/measures.ts";
import {
  admit,
  after,
  ask,
  create,
  enact,
  exited,
  idOf,
  kill,
  observe,
  OPERATOR,
  pause,
  Play,
  quarantine,
  register,
  resume,
  self,
  start,
  stop,
  unquarantine,
  type Ask,
} from "../../support/scenario.ts";
import {
  control,
  enactRoster,
  heard,
  issue,
  noteService,
  revokeToken,
  TOKENS_MAX,
} from "../../support/service-scenario.ts";
import {
  acquire,
  act,
  enactLanes,
  keep,
  leave,
  leaseOf,
  outside,
  release,
  renew,
  wait,
} from "../../support/lease-scenario.ts";
import { record, type Steps } from "./recording.ts";

interface Case {
  readonly given: Steps;
  readonly when: Ask;
  readonly says: RegExp;
  /** What the sentence says would have helped: steps before, or the command as it should be. */
  readonly mended: { readonly before?: Steps; readonly when?: Ask } | "never";
}

const born = [create(), start("p")] as const;
const under = admit("x", { under: "p" });
const checkpoint = ask("worker.checkpoint", { worker: idOf("p"), state: {} });
const held = [create(), acquire("ann", "src/**")] as const;
const api = { name: "api", region: ["src/api/**"] };
const slots = { name: "ports", region: ["port:1"], slots: 1 };
const noLeases = (when: string) => ({ lease_deny_when: [{ name: "none", when }] });
const few = { stop: [{ name: "few", when: "active_count >= 1" }] };

const CASES: Readonly<Partial<Record<RefusalCode, Case>>> = {
  not_authorised: {
    given: born,
    when: ask("fleet.kill", { reason: "x" }, { by: self("p") }),
    says: /from operator, not from worker w-p2{15}/,
    mended: { when: kill },
  },
  roster_invalid: {
    given: born,
    when: enactRoster("api", "api"),
    says: /with "api" once, not for the supervisor/,
    mended: { when: enactRoster("api") },
  },
  instance_unknown: {
    given: born,
    when: control("api", { instance: "1" }),
    says: /once api\/1 had been heard, or a worker of that name ran/,
    mended: { before: [heard("api/1")] },
  },
  service_unknown: {
    given: born,
    when: noteService("api"),
    says: /under a roster that has "api"/,
    mended: { before: [enactRoster("api")] },
  },
  token_unknown: {
    given: born,
    when: revokeToken("a"),
    says: /for a token that was issued; t-[a-z2-7]{16} was not/,
    mended: { before: [issue("a")] },
  },
  token_ended: {
    given: [...born, issue("a"), after(60_000)],
    when: revokeToken("a"),
    says: /It would have passed before .*; now only a new token helps/,
    mended: { before: [issue("b")], when: revokeToken("b") },
  },
  token_taken: {
    given: [...born, issue("a")],
    when: issue("a"),
    says: /with an id and a secret that nobody has/,
    mended: { when: issue("b") },
  },
  tokens_full: {
    given: [...born, Array.from({ length: TOKENS_MAX }, (_, index) => issue(`n${index}`))],
    when: issue("a"),
    says: /with fewer than 1024 tokens that live: revoke one/,
    mended: { before: [revokeToken("n0")] },
  },
  fleet_exists: { given: born, when: create(), says: /an empty journal/, mended: "never" },
  fleet_killed: {
    given: [...born, kill],
    when: admit("x"),
    says: /f-plays was killed/,
    mended: "never",
  },
  fleet_paused: {
    given: [...born, pause],
    when: admit("x"),
    says: /once an operator had resumed/,
    mended: { before: [resume] },
  },
  parent_unknown: {
    given: born,
    when: admit("x", { under: "nobody" }),
    says: /none with the id w-nobody2{10} was/,
    mended: { when: under },
  },
  parent_not_running: {
    given: [create(), admit("p")],
    when: under,
    says: /once w-p2{15} \("p"\) had registered/,
    mended: { before: [register("p")] },
  },
  parent_quarantined: {
    given: [...born, quarantine("p")],
    when: under,
    says: /once an operator had lifted the quarantine of w-p2{15} \("p"\)/,
    mended: { before: [unquarantine("p")] },
  },
  parent_stale: {
    given: [...born, observe("p", { silent_ms: 30_000 })],
    when: under,
    says: /once a beat of w-p2{15} \("p"\) had been heard/,
    mended: { before: [observe("p")] },
  },
  max_replicas: {
    given: [create({ max_replicas: 1 }), start("p")],
    when: under,
    says: /once 1 of w-p2{15} \("p"\) had ended, or under .* max_replicas is at least 2/,
    mended: { before: [enact({ max_replicas: 2 })] },
  },
  max_total: {
    given: [create({ max_total: 1 }), start("p")],
    when: under,
    says: /max_total is at least 2/,
    mended: { before: [enact({ max_total: 2 })] },
  },
  cooldown: {
    given: [create({ cooldown_ms: 500 }), start("p"), admit("a", { under: "p" }), after(100)],
    when: under,
    says: /400 ms later, from 2023-11-14T22:13:20\.500Z on, .* cooldown_ms of at most 100/,
    mended: { before: [after(400)] },
  },
  depth_mismatch: {
    given: born,
    when: admit("x", { under: "p", depth: 7 }),
    says: /claiming depth 1, or claiming none/,
    mended: { when: admit("x", { under: "p", depth: 1 }) },
  },
  max_depth: {
    given: [create({ max_depth: 0 }), start("p")],
    when: under,
    says: /passed as a root, or under a contract whose max_depth is at least 1/,
    mended: { before: [enact({ max_depth: 1 })] },
  },
  rights_exceeded: {
    given: born,
    when: admit("x", { under: "p", network: "open" }),
    says: /with network controller, as its parent has it, or narrower/,
    mended: { when: admit("x", { under: "p", network: "controller" }) },
  },
  region_invalid: {
    given: born,
    when: admit("x", { regions: ["!a"] }),
    says: /with regions that have at least one pattern that is not led by !/,
    mended: { when: admit("x", { regions: ["a"] }) },
  },
  region_too_large: {
    given: born,
    when: admit("x", { regions: ["{a,b}".repeat(11)] }),
    says: /with regions that have at most 256 alternatives/,
    mended: { when: admit("x", { regions: ["{a,b}".repeat(8)] }) },
  },
  budget_exceeded: {
    given: [create(), start("p", { budget: { cpu_milli: 100 } })],
    when: admit("x", { under: "p", budget: { cpu_milli: 130 } }),
    says: /asking for cpu_milli of at most 100, or with 30 more free/,
    mended: { when: admit("x", { under: "p", budget: { cpu_milli: 100 } }) },
  },
  stop_condition: {
    given: [...born, enact(few)],
    when: under,
    says: /with active_count 1\..* condition "few", active_count >= 1, been false/,
    mended: { before: [exited("p")], when: admit("x") },
  },
  containment_too_weak: {
    given: born,
    when: admit("x", { degraded: ["same_user"] }),
    says: /holds same_user, or under a contract whose allow_degraded names it/,
    mended: { before: [enact({ allow_degraded: ["same_user"] })] },
  },
  manifest_invalid: {
    given: [create(), admit("a")],
    when: register("a", { name: "z" }),
    says: /this one says something that was never admitted/,
    mended: { when: register("a") },
  },
  manifest_foreign: {
    given: [create(), admit("a")],
    when: register("a", { fleet: "f-other" }),
    says: /the fleet that issued it, f-other; this one is f-plays/,
    mended: { when: register("a") },
  },
  manifest_expired: {
    given: [create(), admit("a"), after(30_005)],
    when: register("a"),
    says: /before 2023-11-14T22:13:50\.000Z, 5 ms or more earlier/,
    mended: "never",
  },
  manifest_used: {
    given: [create(), admit("a"), register("a")],
    when: register("a"),
    says: /good for once, and that of w-a2{15} was used/,
    mended: "never",
  },
  contract_invalid: {
    given: born,
    when: enact({ stop: [{ name: "broken", when: "1" }] }),
    says: /had the stop condition "broken" been sound: /,
    mended: { when: enact({ stop: [{ name: "broken", when: "true" }] }) },
  },
  instance_taken: {
    given: born,
    when: admit("p"),
    says: /an id that was never used; w-p2{15} was/,
    mended: { when: admit("y") },
  },
  worker_unknown: {
    given: born,
    when: stop("nobody"),
    says: /none with the id w-nobody2{10} was/,
    mended: { when: stop("p") },
  },
  worker_ended: {
    given: [...born, exited("p")],
    when: (play) => ({ ...stop("p")(play), ended: idOf("p") }),
    says: /w-p2{15} had ended, and nobody comes back/,
    mended: "never",
  },
  worker_not_running: {
    given: [create(), admit("p")],
    when: checkpoint,
    says: /once w-p2{15} \("p"\) had registered/,
    mended: { before: [register("p")] },
  },
  worker_quarantined: {
    given: [...born, quarantine("p")],
    when: checkpoint,
    says: /lifted the quarantine of w-p2{15} \("p"\)/,
    mended: { before: [unquarantine("p")] },
  },
  worker_not_quarantined: {
    given: born,
    when: unquarantine("p"),
    says: /while w-p2{15} \("p"\) was in quarantine; it was running and in none/,
    mended: { before: [quarantine("p")] },
  },
  worker_expired: {
    given: [
      create({ quarantine_max_ms: 90_000_000 }),
      start("p"),
      quarantine("p"),
      after(86_400_000),
    ],
    when: unquarantine("p"),
    says: /before 2023-11-15T22:13:20\.000Z, the end of its lifetime/,
    mended: "never",
  },
  holder_ended: {
    given: [...born, stop("p")],
    when: acquire("@p", "a"),
    says: /for a worker that runs; w-p2{15} \("p"\) was stopping, and stays so/,
    mended: "never",
  },
  holder_quarantined: {
    given: [...born, quarantine("p")],
    when: acquire("@p", "a"),
    says: /lifted the quarantine of w-p2{15} \("p"\)/,
    mended: { before: [unquarantine("p")] },
  },
  holder_stale: {
    given: [...born, observe("p", { silent_ms: 30_000 })],
    when: acquire("@p", "a"),
    says: /once a beat of w-p2{15} \("p"\) had been heard/,
    mended: { before: [observe("p")] },
  },
  holder_mismatch: {
    given: held,
    when: release("ann", { as: "bob" }),
    says: /from its holder, "ann", with the token .* an operator can revoke l-2 without one/,
    mended: { when: release("ann") },
  },
  lane_unknown: {
    given: [create(), enactLanes([api])],
    when: acquire("ann", { lanes: ["apy"] }),
    says: /in force, such as "api"; "apy" is none/,
    mended: { when: acquire("ann", { lanes: ["api"] }) },
  },
  lease_condition: {
    given: [create(noLeases("active_leases >= 0"))],
    when: acquire("ann", "a"),
    says: /had the condition on leases "none", active_leases >= 0, been false/,
    mended: { before: [enact(noLeases("false"))] },
  },
  condition_unmet: {
    given: [create({ kill_when: HOGS }), start("p")],
    when: trip("p", { held_ms: 999 }),
    says: /if "worker\.memory_bytes > 1000" had held for 1000 ms of what it is asked about/,
    mended: { when: trip("p") },
  },
  lease_unknown: {
    given: held,
    when: renew("ann", {}, { lease: "l-99" }),
    says: /none with the id l-99 was, by then/,
    mended: { when: renew("ann") },
  },
  lease_ended: {
    given: [...held, release("ann")],
    when: renew("ann", {}, { lease: "l-2", ended: "l-2" }),
    says: /before the end of l-2; now only a new lease helps/,
    mended: "never",
  },
  conflict: {
    given: held,
    when: acquire("bob", "src/*.ts"),
    says: /once l-2 of "ann" had ended, by 2023-11-14T22:14:20\.000Z unless .* "src.*" is in both/,
    mended: { before: [after(60_000)] },
  },
  slots_full: {
    given: [create(), enactLanes([slots]), acquire("ann", { lanes: ["ports"] })],
    when: acquire("bob", { lanes: ["ports"] }),
    says: /one of the 1 leases on lane "ports" had ended, by 2023-11-14T22:14:20.000Z .* than 1/,
    mended: { before: [enactLanes([{ ...slots, slots: 2 }])] },
  },
  wait_deadlock: {
    given: [create(), acquire("ann", "a"), acquire("bob", "b"), wait("ann", "b")],
    when: wait("bob", "a"),
    says: /once one of "bob" and "ann" had given back what the next one waits for/,
    mended: { before: [leave("ann")] },
  },
  wait_timeout: {
    given: [...held, wait("bob", "src/a", { wait_ms: 5_000 }), after(5_000)],
    when: keep("bob"),
    says: /the turn of q-\d+, and for the lease then, as "bob" .* free within 5s, or with a longer/,
    mended: { when: acquire("bob", "docs/a") },
  },
  place_ended: {
    given: [...held, wait("bob", "src/a"), after(15_000)],
    when: keep("bob"),
    says: /from whoever keeps q-3 up in time; now only a new request helps/,
    mended: { when: wait("bob", "src/a") },
  },
  queue_full: {
    given: [
      ...held,
      ...Array.from({ length: 64 }, (_, at) => wait("bob", "src/a", { key: `${at}` })),
    ],
    when: wait("bob", "src/a"),
    says: /once fewer than 64 waited/,
    mended: { before: [after(15_000)] },
  },
  fence_stale: {
    given: held,
    when: (play) => renew("ann", { fence: leaseOf(play, "ann").fence - 1 })(play),
    says: /with the fence 2 of l-2; 1 is that of an earlier holder/,
    mended: { when: (play) => renew("ann", { fence: leaseOf(play, "ann").fence })(play) },
  },
  lanes_invalid: {
    given: [create()],
    when: enactLanes([api, { ...api, region: ["b"] }]),
    says: /had "api" been the name of one lane alone/,
    mended: { when: enactLanes([api, { name: "b", region: ["b"] }]) },
  },
};

const codes = REFUSAL_CODES.filter((code) => {
  const { by, reserved } = PROBLEMS[code];
  return by === "kernel" && !reserved;
});

describe("[EX2] what would have made a refusal pass", () => {
  test.each(codes.filter((code) => code !== "fleet_unknown"))("%s", async (code) => {
    const play = caseOf(code);
    const { journal } = await record(...play.given, play.when);
    const { seq } = await journal.head();
    const told = await explainEntry(journal, seq);
    expect(told).toMatchObject({ code, kind: "command.refused", redecided: "same" });
    expect(told.text).toContain(`refused as ${code}: `);
    expect(told.text).toMatch(play.says);
    expect(told.text).not.toMatch(/\bunknown\b|NaN|undefined/);
    if (play.mended === "never") return;
    const { before = [], when = play.when } = play.mended;
    // Who does what the sentence says is granted what was refused.
    const mended = new Play();
    for (const step of [...play.given, ...before].flat()) mended.take(step);
    expect(mended.take(when)?.refusal).toBeNull();
  });

  test("every code has its sentence, also those that no entry can bear", () => {
    for (const code of REFUSAL_CODES) {
      const refusal = { code, message: "", facts: {} };
      const command = { kind: "clock.tick", data: {} } as const;
      const { state, atMs } = new Play();
      const sentence = remedyFor({ refusal, command, state, atMs, named: () => undefined });
      expect(sentence).toMatch(/^(it|nothing|this) \S+ \S/);
    }
  });
});

/** What would have made the last step of a play pass. */
async function remedyOf(...steps: Steps): Promise<string | null> {
  const { journal } = await record(...steps);
  return (await explainEntry(journal, (await journal.head()).seq)).would_pass;
}

describe("[LB118] the facts that refusals of leases name", () => {
  const lent = { region: ["src/a"], to: idOf("p"), ttl_ms: 60_000 };

  test.each<[string, Steps, RegExp]>([
    ["its own lease", [...held, acquire("ann", "src/x")], /once l-2, its own, of "ann" had ended/],
    [
      "a lane that runs alone",
      [
        create(),
        enactLanes([{ ...api, alone: true }]),
        acquire("ann", "x"),
        acquire("bob", { lanes: ["api"] }),
      ],
      /; one of the two runs alone in the fleet$/,
    ],
    [
      "what was given as held",
      [create(), acquire("ann", "src/x", { also_held: [["src/**"]] })],
      /shares nothing with "src\/\*\*", which was given as held$/,
    ],
    [
      "a key of another lease",
      [create(), acquire("ann", "a", { key: "k" }), acquire("ann", "b", { key: "k" })],
      /under a key of its own; "k" made l-2, on exclusive a$/,
    ],
    [
      "a region that is more than is held",
      [...held, act(["lease.narrow", "ann"], { region: ["docs/**"] })],
      /^it would have passed within "src\/\*\*"; "docs" is not in that$/,
    ],
    [
      "a worker that is not below",
      [...born, acquire("ann", "src/**"), act(["lease.split", "ann"], lent)],
      /lent to a worker below its holder; w-p2{15} is not$/,
    ],
    [
      "an orphan that is none",
      [
        ...born,
        acquire("@p", "a"),
        (play) =>
          ask("lease.hand_over", {
            lease: leaseOf(play, "@p").id,
            orphan: true,
            to: { name: "x", nonce: "n".repeat(26), token_hash: "a".repeat(64) },
          })(play),
      ],
      /once w-p2{15} \("p"\), which holds l-4, had ended as a worker$/,
    ],
    [
      "a lease of a worker that has ended",
      [...born, acquire("@p", "a"), stop("p"), exited("p"), acquire("bob", "a")],
      /; w-p2{15} has ended: `\S+ lease adopt l-4 --orphan --holder NAME` .* revoke l-4 --/,
    ],
    [
      "a worker's lease that is taken over by nobody's word",
      [
        ...born,
        acquire("@p", "a"),
        act(["lease.hand_over", "@p"], { to: outside("bob") }, { as: "bob", claim: {} }),
      ],
      /from w-p2{15} \("p"\), which holds it, or from an operator who names .* `--from w-p2{15}`$/,
    ],
    [
      "the lease of a worker that has ended, renewed without one's naming it",
      [
        ...born,
        acquire("@p", "a"),
        stop("p"),
        exited("p"),
        renew("@p", {}, { as: "bob", claim: {} }),
      ],
      /^it would have passed from w-p2{15} alone, which has ended; `stint lease adopt l-4 --orphan/,
    ],
    [
      "a lane whose region is none",
      [create(), enactLanes([{ name: "a", region: ["!x"] }])],
      /had lane "a" been one that has at least one pattern that is not led by !$/,
    ],
  ])("%s", async (_, steps, says) => {
    expect(await remedyOf(...steps)).toMatch(says);
  });
});

describe("[EX2] the facts that are named", () => {
  test("present use that stands in the way of carving", async () => {
    const busy = admit("x", {
      under: "p",
      budget: { memory_bytes: 80 },
      parent_use: { memory_bytes: 50 },
      by: OPERATOR,
    });
    const { journal } = await record(create(), start("p", { budget: { memory_bytes: 100 } }), busy);
    const told = await explainEntry(journal, (await journal.head()).seq);
    expect(told.would_pass).toBe(
      "it would have passed asking for memory_bytes of at most 50, or once the parent used at " +
        "most 20 of memory_bytes; it used 50 of the 100 it had free",
    );
  });

  test("a parent that has ended for good", async () => {
    const { journal } = await record(...born, stop("p"), under);
    const told = await explainEntry(journal, (await journal.head()).seq);
    expect(told.would_pass).toMatch(/^it would have passed below a parent that runs; .* stopping/);
  });

  test("a condition that a function would have answered", async () => {
    const { journal } = await record(
      create({ stop: [{ name: "own" }] }),
      admit("x", { verdicts: {} }),
    );
    const told = await explainEntry(journal, (await journal.head()).seq);
    expect(told.would_pass).toMatch(/a process that brings the function of the condition "own"/);
  });
});

function caseOf(code: RefusalCode): Case {
  const found = CASES[code];
  if (found === undefined) throw new Error(`a play must show how ${code} is explained`);
  return found;
}
