// One well-formed command of every kind.
import type { Command, CommandKind, CommandMap } from "../../src/kernel/command.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { measuresOf } from "./measures.ts";
import { create, given, idOf, KEY, start } from "./scenario.ts";

const worker = idOf("a");
const hash = "ab".repeat(32);
const manifest = given(create(), start("a")).play.manifestOf("a");

const lease = "l-7";
const token = `t-${"a".repeat(16)}`;

/** The body of a command of every kind; each is about worker a, who is a root. */
export const BODIES: CommandMap = {
  "fleet.create": { fleet: "f", name: "f", contract: DEFAULT_CONTRACT, key: KEY },
  "fleet.pause": { reason: "x" },
  "fleet.resume": { reason: "x" },
  "fleet.kill": { reason: "x" },
  "fleet.recover": {
    reason: "x",
    kept_hash: hash,
    remembered_seq: 99,
    remembered_hash: hash,
    workers: [manifest],
  },
  "contract.enact": { contract: DEFAULT_CONTRACT },
  "key.rotate": { key: KEY },
  "worker.admit": {
    instance: idOf("c"),
    name: "c",
    parent: worker,
    reason: "",
    state: {},
    budget: {},
  },
  "worker.register": { manifest, envelope: "valid" },
  "worker.checkpoint": { worker, state: {} },
  "worker.observe": { worker, silent_ms: 0, watched_ms: 0, seen: "alive" },
  "worker.stop": { worker, reason: "requested", tree: false },
  "worker.exited": { worker, evidence: { grade: "observed", facts: {} }, outcome: {} },
  "worker.hit_limit": {
    worker,
    limits_hit: [{ limit: "processes", value: 10, use: 10, count: 1 }],
  },
  "worker.write_off": { worker, reason: "x" },
  "worker.quarantine": { worker, reason: "x", source: "y", severity: "low" },
  "worker.unquarantine": { worker, resolution: "x" },
  "worker.note": { worker, text: "x" },
  "budget.charge": { worker, amounts: { cpu_ms: 1 } },
  "lanes.enact": {
    lanes: [{ name: "api", region: ["src/api/**"] }],
    worktrees: "one_ground",
    require: false,
  },
  "lane.announce": { lane: "api", holder: worker },
  "roster.enact": { expected: [{ name: "api", every_ms: 10_000, instances: 1 }] },
  "roll.observe": {
    sightings: [{ name: "api", instance: "api-1", every_ms: 10_000, silent_ms: 0, said: "up" }],
  },
  "roll.forget": { instances: [{ name: "api", instance: "api-1" }] },
  "control.request": { name: "api", action: "reload", ttl_ms: 60_000 },
  "service.note": { name: "api", action: "start", outcome: "started", took_ms: 12 },
  "token.issue": { token, role: "viewer", hash, lifetime_ms: 60_000 },
  "token.exchange": { token, into: { token: `t-${"b".repeat(16)}`, hash, lifetime_ms: 60_000 } },
  "token.revoke": { token },
  "lease.acquire": { region: ["src/**"], holder: { worker }, ttl_ms: 60_000 },
  "lease.renew": { lease, claim: { worker } },
  "lease.release": { lease, claim: { worker } },
  "lease.narrow": { lease, claim: { worker }, region: ["src/api/**"] },
  "lease.split": { lease, claim: { worker }, region: ["src/api/**"], to: worker, ttl_ms: 60_000 },
  "lease.hand_over": { lease, claim: { worker }, to: { worker } },
  "lease.revoke": { lease, reason: "x" },
  "lease.mount": { lease, worker },
  "lease.fence": { lease, worker, waited_ms: 1, was_frozen: false },
  "place.keep": { place: "q-9", claim: { worker } },
  "place.leave": { place: "q-9", claim: { worker } },
  "place.cancel": { place: "q-9", reason: "x" },
  "condition.trip": {
    condition: "storm",
    measures: measuresOf({ fleet: { refusals_per_minute: 10 } }),
    held_ms: 0,
  },
  "condition.fail": { condition: "storm", problem: "x" },
  "armed.check": { grade: "observed", rung: "x", took_ms: 1 },
  "halt.request": { handle: "h", reason: "x" },
  "clock.tick": {},
  "clock.accept": { reason: "x" },
  "refusals.suppress": { actor_key: "operator", count: 1, window_ms: 60_000 },
  "journal.sign": {
    at_seq: 1,
    head_hash: hash,
    state_hash: hash,
    key_id: "k1",
    signature: "A".repeat(86),
  },
  "receipt.record": { receipt: {} },
};

/** A command of a kind. */
export function commandOf(kind: CommandKind): Command {
  return { kind, data: BODIES[kind] } as Command;
}
