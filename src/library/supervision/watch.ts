import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import { instantOf, judgeNow } from "../liveness/liveness.ts";
import type { LivenessView } from "../liveness/view.ts";
import type { Seat } from "../seat.ts";
import { proposeHalt, Proposals } from "./halts.ts";
import { parseWindow } from "./options.ts";

/** Whom to watch, and for how long a proposal stands. */
export interface WatchOptions {
  /** Workers as they are named elsewhere, and outside parties by their names; default: all. */
  readonly holders?: readonly string[];
  /** For how long a halt that was proposed is not proposed again, ms; default 30 minutes. */
  readonly windowMs?: number;
  /**
   * Spinning for so long one is proposed, ms; default: as the contract has it, which may be never.
   */
  readonly haltAfterMs?: number;
}

/** What one round of watching came to. */
export interface WatchRound {
  readonly views: readonly LivenessView[];
  /** Those for whom a halt was proposed in this round, each with its entry. */
  readonly proposed: readonly { readonly view: LivenessView; readonly seq: number }[];
}

/** Judges again and again, and proposes halts. */
export interface HaltWatch {
  /** Judges once, and proposes what is due. Nothing and nobody is stopped. */
  round(): Promise<WatchRound>;
}

/**
 * One who watches: judges again and again, and proposes a halt for who is stalled, or has spun for
 * long. What was proposed stands in the journal, so one who begins anew knows it; what it keeps for
 * itself is only who was well since, where nothing in the journal says so.
 */
export class JudgingWatch implements HaltWatch {
  readonly #seat: Seat;
  readonly #windowMs: number;
  readonly #options: WatchOptions;
  /** The proposals that were outlived, by their entries. */
  readonly #outlived = new Set<number>();

  constructor(seat: Seat, options: WatchOptions = {}) {
    demandOptions(options, ["holders", "windowMs", "haltAfterMs"]);
    const { haltAfterMs } = options;
    const isSpan =
      haltAfterMs === undefined ||
      (Number.isInteger(haltAfterMs) && haltAfterMs >= 1 && haltAfterMs <= LIMITS.livenessMsMax);
    if (!isSpan) {
      const expected = `an integer from 1 to ${LIMITS.livenessMsMax}`;
      const got = describeValue(haltAfterMs);
      throw new InputError("usage", [{ path: "options.haltAfterMs", expected, got }]);
    }
    this.#seat = seat;
    this.#windowMs = parseWindow(options.windowMs);
    this.#options = options;
  }

  async round(): Promise<WatchRound> {
    const views = await this.#judge();
    const nowMs = instantOf(this.#seat, this.#seat.loop.state());
    const proposals = await Proposals.read(this.#seat, { nowMs, windowMs: this.#windowMs });
    const proposed: { readonly view: LivenessView; readonly seq: number }[] = [];
    for (const view of views) {
      const standing = proposals.standing(view);
      if (!this.#isDue(view)) {
        if (standing !== undefined && isWell(view)) this.#outlived.add(standing.seq);
        continue;
      }
      if (standing !== undefined && !this.#outlived.has(standing.seq)) continue;
      const before = proposals.newest(view);
      const seq = await proposeHalt(this.#seat, view, { before, windowMs: this.#windowMs });
      if (seq !== undefined) proposed.push({ view, seq });
    }
    return { views, proposed };
  }

  async #judge(): Promise<readonly LivenessView[]> {
    const { holders } = this.#options;
    const { views } = await judgeNow(this.#seat);
    if (holders === undefined) return views;
    return views.filter((view) => holders.some((text) => isMeant(view, text)));
  }

  #isDue({ verdict, idleMs, haltDue }: LivenessView): boolean {
    if (verdict === "stalled") return true;
    const { haltAfterMs } = this.#options;
    if (haltAfterMs === undefined) return haltDue;
    return verdict === "spinning" && idleMs !== null && idleMs >= haltAfterMs;
  }
}

/** A prefix of an id must be this long, `w-` included, to be one. */
const prefixCharsMin = 4;

/** Whether a text means somebody who is judged: by id or a beginning of it, or by name. */
export function isMeant({ holder, name }: LivenessView, text: string): boolean {
  const isPrefix = text.length >= prefixCharsMin && holder.startsWith(text);
  return holder === text || name === text || isPrefix;
}

/** Whether a verdict says that somebody has come back: what is not known says nothing. */
function isWell({ verdict }: LivenessView): boolean {
  return verdict === "advancing" || verdict === "spinning";
}
