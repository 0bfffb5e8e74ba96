import type { CommandMap } from "../../src/kernel/command.ts";
import type { Holder, Lease, LeaseMode } from "../../src/kernel/lease/lease.ts";
import type { State, Worker } from "../../src/kernel/state.ts";
import { freshInstanceId } from "../../src/runtime/base32.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import { leasesOf, onLease } from "./claim.ts";
import { LANE_NAMES } from "./ground.ts";
import { anOperator, asWorker, OPERATORS, pickWorker, type Request, type View } from "./view.ts";

/** Few resources, so that whoever asks meets others; the last are no regions. */
const REGIONS: readonly (readonly string[])[] = [
  ["src/**"],
  ["src/**"],
  ["src/**", "!src/gen/**"],
  ["src/api/**"],
  ["src/api/a"],
  ["src/gen/**"],
  ["src/*/a"],
  ["**/a"],
  ["docs/**"],
  ["docs/a", "port:1"],
  ["port:1"],
  ["branch:main"],
  ["**"],
  ["SRC/api/**"],
];

const BAD_REGIONS: readonly (readonly string[])[] = [
  ["src//api"],
  ["src/a", "!src/**"],
  ["{a,b}".repeat(11)],
];

/** Names of outside parties; each is another, however alike. */
export const OUTSIDERS: readonly string[] = [
  "ci",
  "ci ",
  "an na",
  "line\nbreak",
  "line\u2028break",
  "w-aaaaaaaaaaaaaaaa",
];

/** How long somebody waits: less than a place is kept, as long, and longer. */
const WAITS_MS = [1, 1_000, 15_000, 20_000, 60_000, 600_000];

const TTLS_MS = [1_000, 5_000, 60_000, 60_000, 300_000, 300_000, 86_400_000];
const KEYS = ["k1", "k2"];
const MODES: readonly LeaseMode[] = ["exclusive", "shared", "slot"];

function isRunning({ status }: Worker): boolean {
  return status === "running";
}

/** Makes up a request for a lease, by a worker for itself or by an operator for anybody. */
export function makeAcquisition(view: View): Request {
  const { random, state } = view;
  const holder = aHolder(view);
  const laneShare = state.book.rules.lanes.length > 0 ? 0.5 : 0.05;
  const data: CommandMap["lease.acquire"] = {
    ...(random.chance(laneShare) ? { lanes: someLanes(random) } : { region: aRegion(random) }),
    ...(random.chance(0.25) ? { mode: random.pick(MODES) } : {}),
    holder,
    ttl_ms: random.pick(TTLS_MS),
    ...(random.chance(0.25) ? { key: random.pick(KEYS) } : {}),
    ...(random.chance(0.2) ? { run_id: "run-1" } : {}),
    ...(random.chance(0.08) ? { also_held: [aRegion(random).slice(0, 1)] } : {}),
    ...(random.chance(0.2) ? { worktree: random.pick(["main", "w1"]) } : {}),
    ...(random.chance(0.4) ? { wait_ms: random.pick(WAITS_MS) } : {}),
  };
  return { command: { kind: "lease.acquire", data }, actor: giverFor(view, holder) };
}

/** Makes up a renewal: mostly by the holder, about when it is worth it. */
export function makeRenewal(view: View): Request {
  const lent = leasesOf(view.state).filter(({ lender }) => lender !== null);
  const { data, actor } = onLease(view, oneOf(view, lent));
  const ttl = view.random.chance(0.4) ? { ttl_ms: view.random.pick(TTLS_MS) } : {};
  return { command: { kind: "lease.renew", data: { ...data, ...ttl } }, actor };
}

/** Makes up a release. */
export function makeRelease(view: View): Request {
  const { data, actor } = onLease(view);
  return { command: { kind: "lease.release", data }, actor };
}

/** Makes up a narrowing: often to a part, sometimes to what is none. */
export function makeNarrowing(view: View): Request {
  const { data, actor } = onLease(view);
  const { random, state } = view;
  const { region: whole = ["docs/**"], worktree } = state.book.leases.get(data.lease) ?? {};
  const part = random.pick([whole, [...whole, "!src/gen/**"], whole.slice(0, 1)]);
  const region = worktree === null && random.chance(0.6) ? part : aRegion(random);
  return { command: { kind: "lease.narrow", data: { ...data, region } }, actor };
}

/** Makes up a lending, most often down the lineage of the holder. */
export function makeSplit(view: View): Request {
  const { random, state } = view;
  const lending = leasesOf(state).filter((lease) => borrowersOf(state, lease).length > 0);
  const lease = lending.length > 0 && random.chance(0.9) ? random.pick(lending) : undefined;
  const { data, actor } = onLease(view, lease);
  const below = lease === undefined ? [] : borrowersOf(state, lease);
  const to = below.length > 0 && random.chance(0.9) ? random.pick(below) : pickWorker(view);
  // The whole is a part, too, and the one that most often lies in the whole.
  const isWhole = lease !== undefined && lease.worktree === null && random.chance(0.4);
  const region = isWhole ? lease.region : aRegion(random);
  const key = random.chance(0.2) ? { key: random.pick(KEYS) } : {};
  const split = { ...data, region, to, ttl_ms: random.pick(TTLS_MS), ...key };
  return { command: { kind: "lease.split", data: split }, actor };
}

/** Makes up a handing over by the holder. */
export function makeHandOver(view: View): Request {
  const { data, actor } = onLease(view);
  const { random } = view;
  const ttl = random.chance(0.3) ? { ttl_ms: random.pick(TTLS_MS) } : {};
  const given = { ...data, to: aHolder(view), ...ttl };
  return { command: { kind: "lease.hand_over", data: given }, actor };
}

/** Makes up the adoption of an orphan, or of what somebody takes for one. */
export function makeAdoption(view: View): Request {
  const { random, state } = view;
  const orphans = leasesOf(state).filter((lease) => isOrphan(state, lease));
  const lease = orphans.length > 0 && random.chance(0.8) ? random.pick(orphans) : undefined;
  const { claim: _, ...data } = onLease(view, lease).data;
  const to = aHolder(view);
  const given = { ...data, orphan: true as const, to };
  return { command: { kind: "lease.hand_over", data: given }, actor: giverFor(view, to) };
}

/** Makes up a revocation. */
export function makeRevocation(view: View): Request {
  const lenders = new Set(leasesOf(view.state).map(({ lender }) => lender));
  const lending = leasesOf(view.state).filter(({ id }) => lenders.has(id));
  const { lease } = onLease(view, oneOf(view, lending)).data;
  const data = { lease, reason: "it is needed elsewhere" };
  return { command: { kind: "lease.revoke", data }, actor: anOperator(view) };
}

/** Makes up a request for a lease under its own key, that nothing but a limit is in the way of. */
export function makeHoarding(view: View, index: number): Request {
  const holder = anOutsider(view, "hoarder");
  const asked = { region: ["docs/**"], mode: "shared", holder, ttl_ms: 300_000 } as const;
  const data = { ...asked, key: `h${index}` };
  return { command: { kind: "lease.acquire", data }, actor: anOperator(view) };
}

/** Makes up a plain request of a worker, and a plain lending of all of it. */
export function makePlainAcquisition({ random }: View, worker: string): Request {
  const region = random.pick([["src/**"], ["docs/**"], ["**"]]);
  const data = { region, holder: { worker }, ttl_ms: 300_000 };
  return { command: { kind: "lease.acquire", data }, actor: asWorker(worker) };
}

/** Makes up the lending of all or a part of a lease to a worker, by its holder. */
export function makePlainSplit({ random }: View, lease: Lease, to: string): Request {
  const isWhole = lease.worktree === null && random.chance(0.5);
  const region = isWhole ? lease.region : [random.pick(["src/api/**", "src/gen/a"])];
  const { holder } = lease;
  const claim = "worker" in holder ? holder : {};
  const data = { lease: lease.id, claim, region, to, ttl_ms: 60_000 };
  const actor = "worker" in holder ? asWorker(holder.worker) : asWorker(to);
  return { command: { kind: "lease.split", data }, actor };
}

/** Makes up a renewal of a worker's lease by itself, often for longer than its lender has it. */
export function makePlainRenewal({ random }: View, { id, holder }: Lease): Request {
  const claim = "worker" in holder ? holder : {};
  const data = { lease: id, claim, ttl_ms: random.pick([300_000, 86_400_000]) };
  const actor = "worker" in holder ? asWorker(holder.worker) : OPERATORS[0];
  return { command: { kind: "lease.renew", data }, actor };
}

/** Whether the state has a lease. */
export function hasLeases({ book }: State): boolean {
  return book.leases.size > 0;
}

/** Whether the state has a lease that somebody could lend a part of. */
export function hasLendable(state: State): boolean {
  return leasesOf(state).some((lease) => borrowersOf(state, lease).length > 0);
}

/** Whether the state has a lease that a dead worker has left. */
export function hasOrphans(state: State): boolean {
  return leasesOf(state).some((lease) => isOrphan(state, lease));
}

/** Often one of these, if there are any. */
function oneOf({ random }: View, leases: readonly Lease[]): Lease | undefined {
  return leases.length > 0 && random.chance(0.5) ? random.pick(leases) : undefined;
}

function isOrphan({ workers }: State, { holder }: Lease): boolean {
  return "worker" in holder && (workers.get(holder.worker)?.status ?? "stopped") === "stopped";
}

function borrowersOf({ workers }: State, { holder, mode }: Lease): readonly string[] {
  if (!("worker" in holder) || mode === "slot") return [];
  const { worker: id } = holder;
  const isBelow = (worker: Worker): boolean => {
    for (let at = worker.parent; at !== null; at = workers.get(at)?.parent ?? null)
      if (at === id) return true;
    return false;
  };
  return [...workers.values()]
    .filter((one) => isRunning(one) && isBelow(one))
    .map(({ id: to }) => to);
}

function aHolder(view: View): Holder {
  const { random } = view;
  return random.chance(0.6)
    ? { worker: pickWorker(view, isRunning) }
    : anOutsider(view, random.pick(OUTSIDERS));
}

/** An outside party of this name, with a token of its own each time. */
export function anOutsider({ random }: View, name: string): Holder {
  const nonce = freshInstanceId(random).slice(2).padEnd(26, "a");
  const bytes = Buffer.from(random.bytes(32));
  return { name, nonce, token_hash: bytes.toString("hex") };
}

function giverFor(view: View, holder: Holder): Request["actor"] {
  const isSelf = "worker" in holder && view.random.chance(0.8);
  return isSelf ? asWorker(holder.worker) : anOperator(view);
}

function aRegion(random: SeededRandom): readonly string[] {
  return random.chance(0.05) ? random.pick(BAD_REGIONS) : random.pick(REGIONS);
}

function someLanes(random: SeededRandom): readonly string[] {
  const count = random.pick([1, 1, 1, 2, 3]);
  return Array.from({ length: count }, () => random.pick(LANE_NAMES));
}
