// Every pair of a command and a code by which the kernel can answer it, each produced by a play.
import { describe, expect, test } from "vitest";
import type { CommandKind } from "../../src/kernel/command.ts";
import { REFUSAL_CODES, type RefusalCode } from "../../src/kernel/refusal.ts";
import { COMMAND_KINDS, PROBLEMS } from "../../src/protocol/problem.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  given,
  hits,
  idOf,
  KEY,
  kill,
  observe,
  pause,
  Play,
  quarantine,
  recover,
  register,
  resume,
  self,
  start,
  stop,
  SUPERVISOR,
  tick,
  unquarantine,
  type Ask,
  type Step,
} from "../support/scenario.ts";
import {
  control,
  enactRoster,
  exchange,
  heard,
  issue,
  noteService,
  revokeToken,
  TOKENS_MAX,
} from "../support/service-scenario.ts";
import { failCondition, HOGS, trip } from "../support/measures.ts";
import {
  acquire,
  act,
  claim,
  enactLanes,
  holder,
  keep,
  leave,
  placeOf,
  renew,
  release,
  revoke,
  wait,
} from "../support/lease-scenario.ts";

type Steps = readonly (Step | readonly Step[])[];

/** What was given, and the step that is refused. */
interface Case {
  readonly given: Steps;
  readonly when: Ask;
}

type Cases = Readonly<Partial<Record<CommandKind, Case>>>;

const nobody = idOf("nobody");
const checkpoint = (name: string) => ask("worker.checkpoint", { worker: idOf(name), state: {} });
const writeOff = (name: string) => ask("worker.write_off", { worker: idOf(name), reason: "x" });
const hitLimit = (name: string) => hits(name, { limit: "processes", count: 1 });
const note = ask("worker.note", { worker: nobody, text: "x" });
const rotate = ask("key.rotate", { key: { ...KEY, key_id: "k2" } });
const never = { stop: [{ name: "never", when: "true" }] };
const broken = { stop: [{ name: "broken", when: "1" }] };
const born = [create(), start("p")] as const;
const reserved = [...born, admit("a", { under: "p" })] as const;

const watched = [create({ kill_when: HOGS }), start("p")] as const;
const leased = [...born, acquire("@p", "src/**")] as const;
const lanes = [{ name: "api", region: ["src/api/**"], slots: 1 }];

/** A part of what the worker p holds, lent to another worker. */
function lend(to: string, region = "src/a/**", so: Parameters<typeof act>[2] = {}): Ask {
  const data = { region: [region], to: idOf(to), ttl_ms: 1_000 };
  return act(["lease.split", "@p"], data, so);
}

function narrow(region: string, so: Parameters<typeof act>[2] = {}): Ask {
  return act(["lease.narrow", "@p"], { region: [region] }, so);
}

function handOver(to: string, so: Parameters<typeof act>[2] = {}): Ask {
  return act(["lease.hand_over", "@p"], { to: holder(to) }, so);
}

/** A step of each command by which a holder acts on the lease of the worker p. */
function byHolder(so: Parameters<typeof act>[2] = {}) {
  return {
    "lease.renew": renew("@p", {}, so),
    "lease.release": release("@p", so),
    "lease.narrow": narrow("src/a/**", so),
    "lease.split": lend("k", "src/a/**", so),
    "lease.hand_over": handOver("@p", so),
  };
}

/** The same steps, of somebody who knows a fence that was never the lease's. */
function withFence(steps: Readonly<Record<string, Ask>>): Readonly<Record<string, Ask>> {
  const fenced =
    (step: Ask): Ask =>
    (play) => {
      const { command, ...others } = step(play);
      const data = { ...command.data, fence: 1 };
      return { ...others, command: { ...command, data } as unknown as typeof command };
    };
  return Object.fromEntries(Object.entries(steps).map(([kind, step]) => [kind, fenced(step)]));
}

/** A step of each command by which somebody is to hold something: a worker of a name. */
function givingTo(name: string): Readonly<Partial<Record<CommandKind, Ask>>> {
  const asked = { holder: { worker: idOf(name) }, region: ["x"], ttl_ms: 1_000 };
  return {
    "lease.acquire": ask("lease.acquire", asked),
    "lease.split": lend(name),
    "lease.hand_over": handOver(`@${name}`),
  };
}

const heirs = [...leased, start("k", { under: "p" })] as const;

/** The worker k, in a place behind the worker p. */
const queued = [...heirs, wait("@k", "src/**", { wait_ms: 50_000 })] as const;

/** It keeps its place up nearly to its deadline. */
const kept = Array.from({ length: 4 }, () => [after(10_000), keep("@k")]);

/** An outside party in a place behind whoever has the lane. */
const waiting = wait("bob", { lanes: ["api"] });

function cancel(name: string): Ask {
  return (play) => ask("place.cancel", { place: placeOf(play, `@${name}`).id, reason: "x" })(play);
}

/** One step of each command, as an operator gives it. */
const any: Readonly<Record<CommandKind, Ask>> = {
  "fleet.create": create(),
  "fleet.pause": pause,
  "fleet.resume": resume,
  "fleet.kill": kill,
  "fleet.recover": recover([]),
  "contract.enact": enact({ max_depth: 1 }),
  "key.rotate": rotate,
  "worker.admit": admit("x"),
  "worker.register": (play) => register("a")(play),
  "worker.checkpoint": checkpoint("p"),
  "worker.observe": observe("p"),
  "worker.stop": stop("p"),
  "worker.exited": exited("p"),
  "worker.hit_limit": hitLimit("p"),
  "worker.write_off": writeOff("p"),
  "worker.quarantine": quarantine("p"),
  "worker.unquarantine": unquarantine("p"),
  "worker.note": note,
  "budget.charge": charge("p", { cpu_ms: 1 }),
  "lanes.enact": enactLanes(lanes),
  "lane.announce": ask("lane.announce", { lane: "x", holder: idOf("p") }),
  "lease.acquire": acquire("@p", "docs/**"),
  ...byHolder({ lease: "l-9" }),
  "lease.revoke": ask("lease.revoke", { lease: "l-9", reason: "x" }),
  "place.keep": keep("@p", { place: "q-9" }),
  "place.leave": leave("@p", { place: "q-9" }),
  "place.cancel": ask("place.cancel", { place: "q-9", reason: "x" }),
  "lease.mount": ask("lease.mount", { lease: "l-9", worker: idOf("p") }),
  "lease.fence": ask("lease.fence", {
    lease: "l-9",
    worker: idOf("p"),
    waited_ms: 1,
    was_frozen: false,
  }),
  "condition.trip": trip("p"),
  "condition.fail": failCondition("hog"),
  "armed.check": ask(
    "armed.check",
    { grade: "observed", rung: "x", took_ms: 1 },
    { by: SUPERVISOR },
  ),
  "roster.enact": enactRoster("api"),
  "roll.observe": heard("api/1"),
  "roll.forget": ask(
    "roll.forget",
    { instances: [{ name: "api", instance: "1" }] },
    { by: SUPERVISOR },
  ),
  "control.request": control("api"),
  "service.note": noteService("api"),
  "token.issue": issue("a"),
  "token.exchange": exchange("a", "b"),
  "token.revoke": revokeToken("a"),
  "halt.request": ask("halt.request", { handle: "h", reason: "x" }),
  "clock.tick": tick,
  "clock.accept": ask("clock.accept", { reason: "x" }),
  "refusals.suppress": ask("refusals.suppress", { actor_key: "x", count: 1, window_ms: 1 }),
  "journal.sign": ask("journal.sign", {
    at_seq: 1,
    head_hash: "",
    state_hash: "",
    key_id: "k1",
    signature: "",
  }),
  "receipt.record": ask("receipt.record", { receipt: {} }),
};

function byStranger(step: Ask): Ask {
  return (play) => ({ ...step(play), by: self("z") });
}

function onTarget(name: string, ended?: string): Readonly<Partial<Record<CommandKind, Ask>>> {
  const steps = {
    "worker.checkpoint": checkpoint(name),
    "worker.observe": observe(name),
    "worker.stop": stop(name),
    "worker.exited": exited(name),
    "worker.hit_limit": hitLimit(name),
    "worker.write_off": writeOff(name),
    "worker.quarantine": quarantine(name),
    "worker.unquarantine": unquarantine(name),
    "budget.charge": charge(name, { cpu_ms: 1 }),
  };
  const withEnd =
    (step: Ask): Ask =>
    (play) => ({ ...step(play), ...(ended === undefined ? {} : { ended }) });
  return Object.fromEntries(Object.entries(steps).map(([kind, step]) => [kind, withEnd(step)]));
}

function each(
  given: Steps,
  steps: Readonly<Partial<Record<CommandKind, Ask>>>,
): Readonly<Partial<Record<CommandKind, Case>>> {
  return Object.fromEntries(Object.entries(steps).map(([kind, when]) => [kind, { given, when }]));
}

function entering(given: Steps, others: Steps = []): Cases {
  return {
    "worker.admit": { given: [...given, ...others], when: admit("x", { under: "p" }) },
    "worker.register": { given: [...given, ...others], when: register("a") },
  };
}

function admitting(given: Steps, step: Ask): Cases {
  return { "worker.admit": { given, when: step } };
}

function registering(given: Steps, step: Ask): Cases {
  return { "worker.register": { given, when: step } };
}

function pick(kinds: readonly CommandKind[]): Readonly<Partial<Record<CommandKind, Ask>>> {
  return Object.fromEntries(kinds.map((kind) => [kind, any[kind]]));
}

const CASES: Readonly<Partial<Record<RefusalCode, Cases>>> = {
  not_authorised: Object.fromEntries(
    COMMAND_KINDS.filter((kind) => kind !== "halt.request").map((kind) => [
      kind,
      { given: reserved, when: byStranger(any[kind]) },
    ]),
  ),
  fleet_unknown: Object.fromEntries(
    COMMAND_KINDS.filter((kind) => kind !== "fleet.create").map((kind) => [
      kind,
      {
        given: [],
        when:
          kind === "worker.register"
            ? ask("worker.register", { manifest: null, envelope: "form" })
            : kind === "contract.enact"
              ? enact({})
              : any[kind],
      },
    ]),
  ),
  fleet_exists: each(born, pick(["fleet.create"])),
  fleet_killed: {
    ...each(
      [...leased, kill],
      pick([
        "fleet.pause",
        "fleet.resume",
        "contract.enact",
        "key.rotate",
        "lanes.enact",
        "roster.enact",
        "control.request",
      ]),
    ),
    ...each([...leased, kill], { ...givingTo("p"), "lease.renew": renew("@p") }),
    ...each([...watched, kill], pick(["condition.trip", "condition.fail", "armed.check"])),
    ...entering(reserved, [kill]),
  },
  fleet_paused: { ...entering(reserved, [pause]), ...each([...leased, pause], givingTo("p")) },
  parent_unknown: admitting(born, admit("x", { under: "nobody" })),
  parent_not_running: entering(reserved, [stop("p")]),
  parent_quarantined: entering(reserved, [quarantine("p")]),
  parent_stale: admitting(
    [...born, observe("p", { silent_ms: 30_000 })],
    admit("x", { under: "p" }),
  ),
  max_replicas: entering(reserved, [enact({ max_replicas: 1 })]),
  max_total: entering(reserved, [enact({ max_total: 1 })]),
  cooldown: admitting(
    [create({ cooldown_ms: 9 }), ...reserved.slice(1)],
    admit("x", { under: "p" }),
  ),
  depth_mismatch: admitting(born, admit("x", { depth: 1 })),
  max_depth: entering(reserved, [enact({ max_depth: 0 })]),
  rights_exceeded: {
    ...admitting(born, admit("x", { under: "p", network: "open" })),
    ...each([create(), start("p", { regions: ["src/**"] }), acquire("@p", "src/a/**")], {
      "lease.acquire": acquire("@p", "docs/**"),
      "lease.narrow": narrow("src/**"),
      "lease.split": lend("p"),
    }),
    ...each([...leased, start("k", { regions: ["docs/**"] })], {
      "lease.hand_over": handOver("@k"),
    }),
  },
  region_invalid: {
    ...admitting(born, admit("x", { regions: ["a//b"] })),
    ...each(heirs, {
      "lease.acquire": acquire("@p", "a//b"),
      "lease.narrow": narrow("a//b"),
      "lease.split": lend("k", "a//b"),
    }),
  },
  region_too_large: {
    ...admitting(born, admit("x", { regions: ["{a,b}".repeat(11)] })),
    ...each(heirs, {
      "lease.acquire": acquire("@p", "{a,b}".repeat(11)),
      "lease.narrow": narrow("{a,b}".repeat(11)),
      "lease.split": lend("k", "{a,b}".repeat(11)),
    }),
    // Whether the lease lies in these rights takes more states than are searched.
    ...each(
      [
        ...born,
        start("k", { regions: ["**", "!*a????????????", "!*b????????????/x"] }),
        acquire("@p", "*b*c*d*a*b*c*/x"),
      ],
      { "lease.hand_over": handOver("@k") },
    ),
  },
  budget_exceeded: admitting(
    [create(), start("p", { budget: { spawns: 0 } })],
    admit("x", { under: "p" }),
  ),
  stop_condition: entering(reserved, [enact(never)]),
  containment_too_weak: admitting(born, admit("x", { degraded: ["same_user"] })),
  manifest_invalid: registering(reserved, register("a", { name: "z" })),
  manifest_foreign: {
    ...registering(reserved, register("a", { fleet: "f-other" })),
    "fleet.recover": {
      given: reserved,
      when: (play) => recover([{ ...play.manifestOf("a"), fleet: "f-other" }])(play),
    },
  },
  manifest_expired: registering([...reserved, after(30_000)], register("a")),
  manifest_used: registering([...reserved, register("a")], register("a")),
  contract_invalid: {
    "fleet.create": { given: [], when: create(broken) },
    "contract.enact": { given: born, when: enact({ lease_deny_when: broken.stop }) },
  },
  instance_taken: admitting(born, admit("p")),
  worker_unknown: {
    ...each(leased, { ...onTarget("nobody"), ...givingTo("nobody"), "worker.note": note }),
    ...each(watched, { "condition.trip": trip("nobody") }),
    ...each(born, { "token.issue": issue("a", { role: "worker", worker: nobody }) }),
  },
  worker_ended: {
    ...each([...born, exited("p")], onTarget("p", idOf("p"))),
    ...each([...watched, exited("p")], { "condition.trip": trip("p", { ended: idOf("p") }) }),
    ...each([...born, exited("p")], {
      "token.issue": issue("a", { role: "worker", worker: idOf("p") }, idOf("p")),
    }),
  },
  worker_not_running: {
    ...each([create(), admit("p")], pick(["worker.checkpoint", "worker.quarantine"])),
    ...each([...leased, admit("k", { under: "p" })], givingTo("k")),
    ...each([...watched, stop("p")], pick(["condition.trip"])),
  },
  worker_quarantined: {
    ...each([...born, quarantine("p")], {
      ...pick(["worker.checkpoint", "worker.quarantine"]),
      "worker.stop": stop("p", { by: self("p") }),
    }),
    ...each([...watched, quarantine("p")], pick(["condition.trip"])),
  },
  worker_not_quarantined: each(born, pick(["worker.unquarantine"])),
  worker_expired: {
    ...each([...born, after(86_400_000)], pick(["worker.checkpoint", "worker.quarantine"])),
    ...each([...watched, after(86_400_000)], pick(["condition.trip"])),
    ...each(
      [create({ quarantine_max_ms: 90_000_000 }), start("p"), quarantine("p"), after(86_400_000)],
      pick(["worker.unquarantine"]),
    ),
  },
  lanes_invalid: each(born, { "lanes.enact": enactLanes([...lanes, ...lanes]) }),
  holder_ended: {
    ...each([...heirs, stop("k")], givingTo("k")),
    ...each([...leased, stop("p")], { "lease.renew": renew("@p") }),
  },
  holder_quarantined: {
    ...each([...heirs, quarantine("k")], givingTo("k")),
    ...each([...queued, quarantine("k")], { "place.keep": keep("@k") }),
    ...each([...leased, quarantine("p")], { "lease.renew": renew("@p") }),
  },
  holder_stale: {
    ...each([...heirs, observe("k", { silent_ms: 30_000 })], givingTo("k")),
    ...each([...queued, observe("k", { silent_ms: 30_000 })], { "place.keep": keep("@k") }),
  },
  holder_mismatch: {
    ...each(heirs, byHolder({ as: "bob" })),
    ...each(queued, {
      "place.keep": keep("@k", { as: "bob" }),
      "place.leave": leave("@k", { as: "bob" }),
    }),
  },
  lane_unknown: {
    ...each(born, {
      "lease.acquire": acquire("@p", { lanes: ["x"] }),
      ...pick(["lane.announce"]),
    }),
    ...each(
      [...born, enactLanes(lanes), acquire("@p", { lanes: ["api"] }), waiting, enactLanes([])],
      { "place.keep": keep("bob") },
    ),
  },
  lease_condition: {
    ...each([...heirs, enact({ lease_deny_when: never.stop })], givingTo("k")),
    ...each([...queued, enact({ lease_deny_when: never.stop })], { "place.keep": keep("@k") }),
  },
  condition_unmet: each(born, pick(["condition.trip", "condition.fail"])),
  lease_unknown: each(born, {
    ...byHolder({ lease: "l-9" }),
    ...pick(["lease.revoke"]),
  }),
  lease_ended: each([...heirs, after(60_000)], { ...byHolder(), "lease.revoke": revoke("@p") }),
  conflict: {
    ...each(leased, { "lease.acquire": acquire("bob", "src/a") }),
    ...each([...heirs, start("j", { under: "p" }), lend("j")], { "lease.split": lend("k") }),
  },
  slots_full: each([...born, enactLanes(lanes), acquire("@p", { lanes: ["api"] })], {
    "lease.acquire": acquire("bob", { lanes: ["api"] }),
  }),
  fence_stale: each(heirs, withFence(byHolder())),
  wait_deadlock: {
    ...each([...leased, acquire("bob", "docs/**"), wait("bob", "src/**")], {
      "lease.acquire": wait("@p", "docs/**"),
    }),
    ...each(
      [
        ...leased,
        acquire("bob", "docs/**"),
        wait("bob", "src/a/**"),
        // What changes hands can close a circle that was none.
        act(["lease.hand_over", "@p"], { to: holder("bob") }, { as: "anna", claim: claim("@p") }),
      ],
      { "place.keep": keep("bob") },
    ),
  },
  wait_timeout: each([...queued, ...kept, after(10_000)], {
    "place.keep": keep("@k"),
  }),
  place_ended: each([...queued, after(15_000)], {
    "place.keep": keep("@k"),
    "place.cancel": cancel("k"),
  }),
  roster_invalid: each(born, { "roster.enact": enactRoster("api", "api") }),
  instance_unknown: each(born, { "control.request": control("api") }),
  service_unknown: each(born, { "service.note": noteService("api") }),
  token_unknown: each(born, pick(["token.exchange", "token.revoke"])),
  token_ended: each([...born, issue("a"), after(60_000)], pick(["token.exchange", "token.revoke"])),
  token_taken: {
    ...each([...born, issue("a")], pick(["token.issue"])),
    ...each([...born, issue("a", { once: true })], { "token.exchange": exchange("a", "a") }),
  },
  tokens_full: each(
    [...born, Array.from({ length: TOKENS_MAX }, (_, index) => issue(`n${index}`))],
    { "token.issue": issue("a") },
  ),
  queue_full: each(
    [
      ...leased,
      Array.from({ length: 64 }, (_, index) => wait("bob", "src/**", { key: `k${index}` })),
    ],
    { "lease.acquire": wait("bob", "src/**") },
  ),
};

const codes = REFUSAL_CODES.filter((code) => {
  const { by, reserved: isReserved } = PROBLEMS[code];
  return by === "kernel" && !isReserved;
});

describe("[PR2] every code that a command can give is given", () => {
  test.each(
    codes.flatMap((code) =>
      PROBLEMS[code].commands.map((kind) => ({ kind, code, play: CASES[code]?.[kind] })),
    ),
  )("$kind answers $code", ({ kind, code, play }) => {
    if (play === undefined) throw new Error(`a play must show how ${kind} answers ${code}`);
    const before = given(...play.given);
    expect(play.when(before.play).command.kind).toBe(kind);
    before.when(play.when).refused(code);
  });

  test("[PR2] and the table names every command for which there is a play", () => {
    for (const code of codes)
      expect(new Set(Object.keys(CASES[code] ?? {}))).toStrictEqual(
        new Set(PROBLEMS[code].commands),
      );
    expect(new Set(Object.keys(CASES))).toStrictEqual(new Set(codes));
  });
});

test("[PR3] an actor's refusals are counted by who he is, not by what he claims", () => {
  const play = new Play();
  for (const step of [create(), ...start("p")]) play.take(step);
  const by = (user: string) => ({ ...self("p"), user, claimed: ["user"] });
  for (const user of ["x", "y"]) play.take(admit("q", { by: by(user) }));
  expect([...play.state.refusals.keys()]).toStrictEqual([`worker:${idOf("p")}`]);
});
