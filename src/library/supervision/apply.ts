/*
 * Carries out a plan, action by action:
 *
 *     look again ─▶ would the same be planned now? ─no─▶ skipped, and said so
 *                              │yes
 *                              ▼
 *     reap: stopped, its end proven ─▶ each lease that was seen of it is released, by its fence
 *     halt: proposed, on record
 *     start: announced ─▶ started under the name that all who plan it have for it
 *
 * What happens between a look and its action is met by what the action names: a worker's id is
 * never another's, a lease is released by its fence or not at all, a start happens once.
 */

import { canonicalText } from "../../runtime/canonical.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { Refused } from "../refused.ts";
import { findLiveRun, findRun } from "../relay/run-id.ts";
import type { Seat } from "../seat.ts";
import { proposeHalt, Proposals } from "./halts.ts";
import { ANNOUNCER, lookAround } from "./look.ts";
import type { ApplyOptions, DoneView, ParsedSupervision } from "./options.ts";
import { plan, type Look, type PlannedAction, type SupervisionPlan } from "./plan.ts";

/** What plans are carried out by: the fleet's own verbs. */
type Verbs = Pick<Fleet, "stop" | "lease" | "announce" | "start">;

type Reap = Extract<PlannedAction, { readonly kind: "hold" | "flag" | "reap" | "propose_halt" }>;
type Start = Extract<PlannedAction, { readonly kind: "start" }>;
type Done = Omit<DoneView, "kind" | "lane">;

/** Carries out the plans of one fleet under the options that they were made with. */
export class Appliance {
  readonly #seat: Seat;
  readonly #verbs: Verbs;
  readonly #options: ParsedSupervision;

  constructor(seat: Seat, verbs: Verbs, options: ParsedSupervision) {
    this.#seat = seat;
    this.#verbs = verbs;
    this.#options = options;
  }

  /** Carries out what is to be done of a plan, those who are stalled first. */
  async apply(given: SupervisionPlan, how: ApplyOptions): Promise<readonly DoneView[]> {
    const done: DoneView[] = [];
    for (const action of inTurn(given.actions)) {
      how.signal?.throwIfAborted();
      const { kind } = action;
      if (kind === "hold" || kind === "flag") continue;
      const lane = kind === "start" ? action.lane : null;
      const view: DoneView = { kind, lane, ...(await this.#carryOut(action, how)) };
      done.push(view);
      how.onDone?.(view);
    }
    return done;
  }

  async #carryOut(action: PlannedAction, how: ApplyOptions): Promise<Done> {
    const { holder, name } = action.kind === "start" ? NOBODY : action.seen;
    const look = await lookAround(this.#seat, this.#options);
    const now = plan(look, this.#options);
    const changed = changeOf(action, now);
    if (changed !== undefined) return { holder, name, outcome: "skipped", because: changed };
    try {
      if (action.kind === "start") return await this.#start(action, how, look);
      if (action.kind === "reap") return await this.#reap(action);
      return await this.#propose(action, look);
    } catch (error) {
      // The rules have the last word: somebody was first.
      if (!(error instanceof Refused)) throw error;
      return { holder, name, outcome: "skipped", because: `${error.code}: ${error.message}` };
    }
  }

  async #reap({ seen, because }: Reap): Promise<Done> {
    const { holder, name } = seen;
    const reason = `stalled: ${because}`;
    const { proven, why } = await this.#verbs.stop(holder, { tree: false, reason });
    const told = proven ? "stopped" : `told to stop; its end is not proven: ${why.join("; ")}`;
    // Of one that may still be there nothing is taken: its leases end by themselves.
    const freed = proven ? await this.#release(seen) : [];
    const more = freed.length === 0 ? "" : `, and ${freed.join(", ")} released`;
    return { holder, name, outcome: "done", because: told + more };
  }

  /** Gives back what a dead worker held, each lease only if it is still the one that was seen. */
  async #release({ holder, leases }: Reap["seen"]): Promise<readonly string[]> {
    const freed: string[] = [];
    for (const { id, fence } of leases) {
      try {
        await this.#verbs.lease(id, { worker: holder, fence }).release();
        freed.push(id);
      } catch (error) {
        // It ended with its worker, or somebody took it over.
        if (!(error instanceof Refused)) throw error;
      }
    }
    return freed;
  }

  async #propose({ seen }: Reap, { views, atMs }: Look): Promise<Done> {
    const { holder, name } = seen;
    const { windowMs } = this.#options;
    const view = views.find((one) => one.holder === holder);
    const proposals = await Proposals.read(this.#seat, { nowMs: atMs, windowMs });
    const before = view === undefined ? undefined : proposals.newest(view);
    const seq =
      view === undefined ? undefined : await proposeHalt(this.#seat, view, { before, windowMs });
    if (seq === undefined)
      return { holder, name, outcome: "skipped", because: "another has asked" };
    const because = `asked at entry ${seq} to halt; nothing is stopped`;
    return { holder, name, outcome: "done", because };
  }

  async #start({ lane, runId }: Start, how: ApplyOptions, { starts }: Look): Promise<Done> {
    const asked = how.startFor?.(lane);
    if (asked === undefined) {
      const because = "there is no template for what to start";
      return { ...NOBODY, outcome: "skipped", because };
    }
    // Before the start: whoever dies in between is gone on with under the same name.
    if (!starts.some((one) => one.runId === runId && one.isUnderWay))
      await this.#verbs.announce({ lane, holder: ANNOUNCER, note: "a worker is started", runId });
    const known = await findRun(this.#seat, runId);
    if (known !== null && findLiveRun(this.#seat.loop.state(), this.#seat.fleet, runId) === null) {
      const because = `the start ${runId} is that of a worker which has ended; plan again`;
      return { holder: known, name: asked.name ?? null, outcome: "skipped", because };
    }
    const { signal } = how;
    const worker = await this.#verbs.start({
      ...asked,
      runId,
      ...(signal === undefined ? {} : { signal }),
    });
    return {
      holder: worker.id,
      name: worker.name,
      outcome: "done",
      because: "started; it is to take the lane itself",
    };
  }
}

/** Whom a start is about that came to no worker. */
const NOBODY = { holder: null, name: null } as const;

/** Those who are stalled first: what they held is to be filled again. */
function inTurn(actions: readonly PlannedAction[]): readonly PlannedAction[] {
  const turns: readonly PlannedAction["kind"][] = ["reap", "propose_halt", "start"];
  return turns.flatMap((kind) => actions.filter((action) => action.kind === kind));
}

/** Why an action is not to be carried out any more; undefined where it would be planned again. */
function changeOf(action: PlannedAction, now: SupervisionPlan): string | undefined {
  if (action.kind === "start") {
    const isWanted = now.actions.some((one) => one.kind === "start" && one.runId === action.runId);
    if (isWanted) return undefined;
    const why = now.passed.find(({ lane }) => lane === action.lane)?.because;
    return why ?? "the lane needs nobody any more since the look";
  }
  const { holder } = action.seen;
  for (const one of now.actions) {
    if (one.kind === "start" || one.seen.holder !== holder) continue;
    const isSame = canonicalText(one.seen) === canonicalText(action.seen);
    if (isSame && one.kind === action.kind) return undefined;
    return `it has changed since the look: now ${one.seen.verdict}, ${one.because}`;
  }
  return "it has ended since the look";
}
