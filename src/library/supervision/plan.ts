/*
 * What is to be done so that as many workers as are aimed at get somewhere on lanes. Pure: equal
 * looks give equal plans. Nobody who is well is ever stopped by it, and of outside parties nothing
 * is taken: what a plan may do to them is to have somebody asked.
 */

import type { Actor } from "../../kernel/actor.ts";
import type { Lane } from "../../kernel/lane/lane.ts";
import { isLive, type State } from "../../kernel/state.ts";
import type { LivenessView } from "../liveness/view.ts";
import type { ParsedSupervision } from "./options.ts";
import { Serials, type KnownStart } from "./serial.ts";
import { GroundInThought } from "./trial.ts";

/** What a plan is made on: the fleet as it was at one moment. */
export interface Look {
  readonly state: State;
  readonly atMs: number;
  readonly actor: Actor;
  readonly views: readonly LivenessView[];
  /** The lanes of the plan, in order. */
  readonly lanes: readonly Lane[];
  readonly starts: readonly KnownStart[];
  /** Who was proposed for a halt within the window, and by which entry. */
  readonly asked: ReadonlyMap<string, number>;
}

/** What an action was planned on; where this has changed, it is not carried out. */
export interface SeenHolder {
  readonly holder: string;
  /** A worker's label; null for an outside party. */
  readonly name: string | null;
  readonly holderKind: LivenessView["holderKind"];
  readonly verdict: LivenessView["verdict"];
  readonly rule: LivenessView["rule"];
  readonly standing: LivenessView["standing"];
  readonly leases: readonly { readonly id: string; readonly fence: number }[];
}

/** One thing that a plan says of somebody, or of a lane that nobody has. */
export type PlannedAction =
  | {
      /** `hold`: let it be. `flag`: somebody should look. The others are carried out. */
      readonly kind: "hold" | "flag" | "reap" | "propose_halt";
      readonly seen: SeenHolder;
      readonly because: string;
    }
  | {
      readonly kind: "start";
      readonly lane: string;
      /** The name of the start: whoever starts it at once, or again, means the same worker. */
      readonly runId: string;
      readonly because: string;
    };

/** How a plan stands to what is aimed at. */
export type PlanOutcome = "at_target" | "filling" | "over_target" | "target_unreachable";

/** What is to be done, and what is not, each with why. */
export interface SupervisionPlan {
  readonly outcome: PlanOutcome;
  readonly target: number;
  /** Workers on these lanes that count as alive, those that are being started included. */
  readonly aliveCount: number;
  /** How many could be alive on these lanes at once if nobody held anything; at most target. */
  readonly reachableCount: number;
  readonly actions: readonly PlannedAction[];
  /** Lanes on which somebody would have been started, and why nobody is. */
  readonly passed: readonly { readonly lane: string; readonly because: string }[];
  readonly atMs: number;
}

/** Makes the plan of a look. */
export function plan(look: Look, options: ParsedSupervision): SupervisionPlan {
  const workers = onLanes(look);
  const judged = look.views.map((view) => sayOf(view, { look, options, workers }));
  const alive = look.views.filter(({ holder }, at) => {
    const kind = judged[at]?.kind;
    return workers.has(holder) && kind !== "reap" && isAlive(look.views[at], options);
  });
  const flagged = excessOf(alive, options.target);
  const actions = judged.map((action) =>
    action.kind === "hold" && flagged.has(action.seen.holder)
      ? { ...action, kind: "flag" as const, because: overWords(alive.length, options.target) }
      : action,
  );
  const filled = fill(look, { options, workers, actions, aliveCount: alive.length });
  const reachableCount = countReachable(look, options.target);
  return {
    outcome: outcomeOf({ ...options, alive: alive.length, reachableCount }),
    target: options.target,
    aliveCount: alive.length,
    reachableCount,
    actions: [...actions, ...filled.starts],
    passed: filled.passed,
    atMs: look.atMs,
  };
}

/** The live workers of these lanes, each with its lane: they hold it, or were started for it. */
function onLanes({ state, views, lanes, starts }: Look): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const names = new Set(lanes.map(({ name }) => name));
  for (const { worker, lane } of starts) {
    const known = worker === null ? undefined : state.workers.get(worker);
    if (known !== undefined && isLive(known) && names.has(lane)) found.set(known.id, lane);
  }
  for (const { holder, holderKind, leases } of views) {
    const held = leases.find(({ lane }) => lane !== null && names.has(lane));
    if (holderKind === "worker" && held !== undefined) found.set(holder, held.lane ?? "");
  }
  return found;
}

interface Saying {
  readonly look: Look;
  readonly options: ParsedSupervision;
  readonly workers: ReadonlyMap<string, string>;
}

type Said = Extract<PlannedAction, { readonly seen: SeenHolder }>;

function sayOf(view: LivenessView, { look, options, workers }: Saying): Said {
  const { verdict, because, sure, seen, holder } = view;
  const say = (kind: Said["kind"], why: string): Said => ({
    kind,
    seen: seenOf(view),
    because: why,
  });
  if (verdict === "advancing" || verdict === "unknown") return say("hold", because);
  const asked = look.asked.get(holder);
  const proposed = asked === undefined ? "" : `; a halt was proposed at entry ${asked}`;
  if (verdict === "spinning")
    return view.haltDue && asked === undefined
      ? say("propose_halt", because)
      : say("flag", because + proposed);
  if (!workers.has(holder)) return say("flag", `${because}; it is on no lane of this plan`);
  if (!sure) return say("flag", `${because}, by the wall clock alone`);
  const isSpared = seen === "alive" && look.state.contract.silent_alive === "flag";
  if (isSpared)
    return asked === undefined
      ? say("propose_halt", `${because}, and its process is alive`)
      : say("flag", `${because}, and its process is alive${proposed}`);
  return options.reap ? say("reap", because) : say("flag", `${because}; this plan reaps nobody`);
}

function seenOf(view: LivenessView): SeenHolder {
  const { holder, name, holderKind, verdict, rule, standing } = view;
  const leases = view.leases.map(({ id, fence }) => ({ id, fence }));
  return { holder, name, holderKind, verdict, rule, standing, leases };
}

/** Whether somebody counts towards the target: one that is ending does not. */
function isAlive(view: LivenessView | undefined, { countSpinning }: ParsedSupervision): boolean {
  if (view === undefined || view.standing === "stopping") return false;
  if (view.verdict === "spinning") return countSpinning;
  // Whoever is stalled by the wall clock alone may well be there.
  return view.verdict !== "stalled" || !view.sure;
}

/** Those beyond the target: the youngest. */
function excessOf(alive: readonly LivenessView[], target: number): ReadonlySet<string> {
  const byAge = alive.toSorted(
    (one, other) => (one.sinceMs ?? Infinity) - (other.sinceMs ?? Infinity),
  );
  return new Set(byAge.slice(target).map(({ holder }) => holder));
}

function overWords(count: number, target: number): string {
  return `${count} are alive where ${target} are aimed at; nobody who is well is stopped for that`;
}

interface Filling {
  readonly options: ParsedSupervision;
  readonly workers: ReadonlyMap<string, string>;
  readonly actions: readonly PlannedAction[];
  readonly aliveCount: number;
}

type Start = Extract<PlannedAction, { readonly kind: "start" }>;

interface Filled {
  readonly starts: readonly Start[];
  readonly passed: SupervisionPlan["passed"];
}

/** Plans starts until the target is met, on lanes that would be granted beside all others. */
function fill(look: Look, { options, workers, actions, aliveCount }: Filling): Filled {
  const { state } = look;
  const reaped = actions.flatMap((action) => (action.kind === "reap" ? [action.seen.holder] : []));
  const ground = new GroundInThought(state, look);
  for (const id of reaped) ground.free(id);
  const pending = pendingOf(look, workers, reaped);
  for (const lane of pending) ground.take(lane);
  const roomFor = state.contract.max_replicas - state.live_count + reaped.length;
  const wanted = options.target - aliveCount;
  const serials = new Serials(look.starts);
  const starts: Start[] = [];
  const passed = new Map<string, string>();
  for (const { name } of turnsOf(look.lanes, wanted)) {
    if (starts.length >= wanted) break;
    if (passed.has(name)) continue;
    if (starts.length >= roomFor) {
      passed.set(name, `the contract allows ${state.contract.max_replicas} live workers`);
      continue;
    }
    const trial = ground.take(name);
    if (!trial.ok) passed.set(name, trial.why);
    else starts.push({ kind: "start", lane: name, runId: serials.next(name), because: FREE });
  }
  const none = [...passed].filter(([lane]) => !starts.some((start) => start.lane === lane));
  return { starts, passed: none.map(([lane, because]) => ({ lane, because })) };
}

const FREE = "the lane is free beside all that is held";

/** The lanes of workers that were started for them and do not hold them yet. */
function pendingOf(
  { views }: Look,
  workers: ReadonlyMap<string, string>,
  reaped: readonly string[],
): readonly string[] {
  return views.flatMap(({ holder, leases }) => {
    const lane = workers.get(holder);
    const isHeld = leases.some((lease) => lease.lane === lane);
    return lane === undefined || isHeld || reaped.includes(holder) ? [] : [lane];
  });
}

/**
 * The lanes in the order in which they are filled: each once, then those with slots again, and last
 * those that run alone, beside which there is nobody.
 */
function* turnsOf(lanes: readonly Lane[], most: number): Generator<Lane, void, undefined> {
  const [beside, alone] = [lanes.filter(({ alone: is }) => is !== true), lanes.filter(isAlone)];
  yield* beside;
  const slotted = beside.filter(({ slots }) => slots !== undefined);
  for (let turn = 1; turn < most && slotted.length > 0; turn += 1) yield* slotted;
  yield* alone;
}

function isAlone({ alone }: Lane): boolean {
  return alone === true;
}

/** How many could be on the lanes at once if nobody held anything; no more than are aimed at. */
function countReachable(look: Look, target: number): number {
  const ground = GroundInThought.cleared(look.state, look);
  const most = Math.min(target, look.state.contract.max_replicas);
  const full = new Set<string>();
  let count = 0;
  for (const { name } of turnsOf(look.lanes, most)) {
    if (count >= most) break;
    if (full.has(name)) continue;
    if (ground.take(name).ok) count += 1;
    else full.add(name);
  }
  return count;
}

function outcomeOf(so: {
  readonly target: number;
  readonly alive: number;
  readonly reachableCount: number;
}): PlanOutcome {
  if (so.reachableCount < so.target) return "target_unreachable";
  if (so.alive > so.target) return "over_target";
  return so.alive < so.target ? "filling" : "at_target";
}
