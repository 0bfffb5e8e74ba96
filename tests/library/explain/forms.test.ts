// One code can be given for several reasons, with other facts: each has words of its own.
import { describe, expect, test } from "vitest";
import { REFUSAL_CODES } from "../../../src/kernel/refusal.ts";
import { explainEntry } from "../../../src/library/explain/explain.ts";
import { remedyFor } from "../../../src/library/explain/remedy.ts";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import {
  acquire,
  act,
  enactLanes,
  keep,
  leaseOf,
  outside,
  release,
  wait,
} from "../../support/lease-scenario.ts";
import {
  ask,
  create,
  enact,
  idOf,
  pause,
  Play,
  register,
  start,
  stop,
  SUPERVISOR,
  SYSTEM,
} from "../../support/scenario.ts";
import { record, type Steps } from "./recording.ts";

const own = enactLanes([], { worktrees: "own_ground" });
const slots = { name: "ui", region: ["ui/**"], slots: 2 };

async function toldOf(steps: Steps) {
  const { journal } = await record(...steps);
  return explainEntry(journal, (await journal.head()).seq);
}

describe("[EX40] a refusal by one code for another reason has words for that", () => {
  test.each<[string, Steps, string, RegExp]>([
    [
      "no worktree where each has ground of its own",
      [create(), own, acquire("ann", "a")],
      "region_invalid",
      /with the name of a worktree, or given from within one$/,
    ],
    [
      "a slot of what has none",
      [create(), acquire("ann", "a", { mode: "slot" })],
      "region_invalid",
      /^it would have passed for a lane with slots, or in another mode$/,
    ],
    [
      "what counts as held is malformed",
      [create(), acquire("ann", "a", { also_held: [["!a"]] })],
      "region_invalid",
      /had what counts as held at least one pattern that is not led by !$/,
    ],
    [
      "what counts as held is too much",
      [
        create(),
        acquire("ann", "a", { also_held: Array.from({ length: 40 }, () => ["b".repeat(1_000)]) }),
      ],
      "region_too_large",
      /^it would have passed with at most 32768 bytes of what counts as held$/,
    ],
    [
      "as many leases as a holder may have",
      [
        create(),
        ...Array.from({ length: 256 }, (_, at) => acquire("ann", `a${at}`)),
        acquire("ann", "b"),
      ],
      "limit_exceeded",
      /^it would have passed with at most 256 leases of its holder; there were 256$/,
    ],
    [
      "as many bytes of patterns as a holder may have",
      [
        create(),
        ...Array.from({ length: 3 }, (_, at) =>
          acquire(
            "ann",
            Array.from(
              { length: 16 },
              (__, n) => `${at}/${n}/${"x".repeat(200)}/${"y".repeat(200)}/${"z".repeat(200)}`,
            ).join(" "),
          ),
        ),
        acquire(
          "ann",
          Array.from(
            { length: 16 },
            (_, n) => `9/${n}/${"x".repeat(200)}/${"y".repeat(200)}/${"z".repeat(200)}`,
          ).join(" "),
        ),
      ],
      "limit_exceeded",
      /with at most 32768 bytes of patterns of its holder; there were \d+$/,
    ],
    [
      "a mount for a worker that does not hold it",
      [
        create(),
        start("p"),
        start("q"),
        acquire("@p", "a/**"),
        (play: Play) =>
          ask(
            "lease.mount",
            { lease: leaseOf(play, "@p").id, worker: idOf("q") },
            { by: SUPERVISOR },
          )(play),
      ],
      "holder_mismatch",
      /for the worker that holds l-6, while that runs; w-q2{15} \("q"\) did not/,
    ],
    [
      "a place that another waits in",
      [create(), acquire("ann", "a"), wait("bob", "a"), keep("cleo", { place: "q-3" })],
      "holder_mismatch",
      /^it would have passed from "bob", who waits in q-3/,
    ],
    [
      "worktrees while leases live",
      [create(), acquire("ann", "a"), own],
      "lanes_invalid",
      /with worktrees "one_ground", or once l-2 and all other leases had ended$/,
    ],
    [
      "a lane's name twice",
      [create(), enactLanes([slots, { ...slots, name: "x", aliases: ["ui"] }])],
      "lanes_invalid",
      /had "ui" been the name of one lane alone$/,
    ],
    [
      "a condition on leases that is broken",
      [create(), enact({ lease_deny_when: [{ name: "odd", when: "1" }] })],
      "contract_invalid",
      /^it would have passed had the condition on leases "odd" been sound: /,
    ],
    [
      "a kill condition that is broken",
      [create(), enact({ kill_when: [{ name: "odd", when: "1", for_ms: 0, action: "pause" }] })],
      "contract_invalid",
      /^it would have passed had the kill condition "odd" been sound: /,
    ],
    [
      "a head that another key has signed",
      [
        create(),
        ask(
          "journal.sign",
          { at_seq: 1, head_hash: "h", state_hash: "s", key_id: "k9", signature: "x" },
          { by: SYSTEM },
        ),
      ],
      "not_authorised",
      /^it would have passed from k1, not from k9$/,
    ],
    [
      "a lease that is lent, handed over to another",
      [
        create(),
        start("p"),
        start("c", { under: "p" }),
        acquire("@p", "a/**"),
        act(["lease.split", "@p"], { region: ["a/b"], to: idOf("c"), ttl_ms: 9_000 }),
        act(["lease.hand_over", "@c"], { to: outside("x") }, { as: "@c" }),
      ],
      "not_authorised",
      /^it would have passed from operator/,
    ],
    [
      "a worker that is told to stop",
      [create(), start("p"), stop("p"), ask("worker.checkpoint", { worker: idOf("p"), state: {} })],
      "worker_not_running",
      /^nothing would have made it pass: w-p2{15} \("p"\) was stopping$/,
    ],
    [
      "a manifest while the fleet is paused",
      [create(), ...start("p").slice(0, 1), pause, register("p")],
      "fleet_paused",
      /once an operator had resumed the fleet/,
    ],
  ])("%s", async (...[, steps, code, says]) => {
    const told = await toldOf(steps);
    expect(told).toMatchObject({ code, redecided: "same" });
    expect(told.would_pass).toMatch(says);
    expect(told.text).not.toMatch(/\bunknown\b|NaN|undefined|\[object/);
  });
});

describe("[EX41] no code that a command can be answered is without words of its own", () => {
  /** Codes that no command of this version is refused by. */
  const reserved = REFUSAL_CODES.filter(
    (code) => PROBLEMS[code].reserved || PROBLEMS[code].commands.length === 0,
  );

  const sentenceOf = (code: (typeof REFUSAL_CODES)[number]): string => {
    const refusal = { code, message: "", facts: {} };
    const command = { kind: "clock.tick", data: {} } as const;
    const { state, atMs } = new Play();
    return remedyFor({ refusal, command, state, atMs, named: () => undefined });
  };

  test("and each is another sentence", () => {
    const open = REFUSAL_CODES.filter((code) => !reserved.includes(code));
    expect(open.length).toBeGreaterThan(45);
    for (const code of open) expect(sentenceOf(code)).not.toContain("this version has no command");
    const alike = ["region_invalid region_too_large", "fence_stale"].join(" ");
    const sentences = open.filter((code) => !alike.includes(code)).map(sentenceOf);
    const doubled = sentences.filter((one, index) => sentences.indexOf(one) !== index);
    // Of a worker, parent or holder that beats late, is frozen or unknown the same is to be done.
    expect(new Set(doubled).size).toBeLessThanOrEqual(4);
  });
});

describe("[EX42] a grant of ground is told with what was looked at for it", () => {
  test.each<[string, Steps, RegExp]>([
    [
      "a region of an outside party",
      [create(), acquire("ann", "a")],
      /an outside party may hold any ground; no other live lease was in the way$/,
    ],
    [
      "a slot of a lane",
      [
        create(),
        enactLanes([slots]),
        acquire("ann", { lanes: ["ui"] }),
        acquire("bob", { lanes: ["ui"] }),
      ],
      /; 1 of 2 slots of lane "ui" was held; no lease other than its slots was in the way$/,
    ],
    [
      "ground that is shared",
      [create(), acquire("ann", "a", { mode: "shared" }), acquire("bob", "a", { mode: "shared" })],
      /; whoever else has it only reads it too$/,
    ],
    [
      "a lane that runs alone",
      [
        create(),
        enactLanes([{ ...slots, name: "all", slots: 1, alone: true }]),
        acquire("ann", { lanes: ["all"] }),
      ],
      /; lane "all" runs alone, and no other lease was live$/,
    ],
    [
      "what a worker asks for",
      [create(), start("p"), acquire("@p", "a")],
      /w-p2{15} \("p"\) ran, was neither stale nor in quarantine, and .* in its regions/,
    ],
    [
      "what is lent",
      [
        create(),
        start("p"),
        start("c", { under: "p" }),
        acquire("@p", "a/**"),
        act(["lease.split", "@p"], { region: ["a/b"], to: idOf("c"), ttl_ms: 9_000 }),
      ],
      /; it lies in l-6, whose holder lent it$/,
    ],
    [
      "under conditions",
      [
        create({ lease_deny_when: [{ name: "many", when: "active_leases > 9" }] }),
        acquire("ann", "a"),
      ],
      /; none of the conditions on leases "many" held/,
    ],
    [
      "a second choice",
      [
        create(),
        enactLanes([slots, { ...slots, name: "web", region: ["web"], slots: 1 }]),
        acquire("ann", { lanes: ["web"] }),
        acquire("bob", { lanes: ["web", "ui"] }),
      ],
      /; lane "web" was passed over for "slots_full"$/,
    ],
    [
      "what was waited for",
      [create(), acquire("ann", "a"), wait("bob", "a"), release("ann"), keep("bob")],
      /; it was its turn in the queue, in which it had q-3/,
    ],
    [
      "what is widened to folders",
      [
        create({
          sandbox: { ...new Play().state.contract.sandbox, leases: "enforced", widen: "directory" },
          allow_degraded: ["leases"],
        }),
        start("p"),
        acquire("@p", "a/b.ts"),
      ],
      /; only whole folders are mounted \(widen is "directory"\)/,
    ],
  ])("%s", async (_, steps, says) => {
    const told = await toldOf(steps);
    expect(told).toMatchObject({ kind: "lease.granted", redecided: "same" });
    expect(told.because).toMatch(says);
    expect(told.text).not.toMatch(/\bunknown\b|NaN|undefined|\[object/);
  });

  test("a lease that goes to another is told with its new fence, and how it was left", async () => {
    const given = await toldOf([
      create(),
      acquire("ann", "a"),
      act(["lease.hand_over", "ann"], { to: outside("bob") }),
    ]);
    expect(given.because).toBe(
      "its holder asked, and the new one may hold it; it has a new fence, 3 instead of 2",
    );
  });
});
