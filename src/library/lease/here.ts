import type { Actor } from "../../kernel/actor.ts";
import type { Command, CommandKind } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Claim } from "../../kernel/lease/lease.ts";
import type { State } from "../../kernel/state.ts";
import { parseCommandData } from "../../protocol/command.ts";
import { demandOpen } from "../closed.ts";
import { errorText } from "../error-text.ts";
import { currentFolder, placed } from "../ground/placing.ts";
import { answerWithoutPermit } from "../kill/adoption.ts";
import { toCamel } from "../names.ts";
import { answerRefused } from "../recorded-refusal.ts";
import type { RefusedAnswer } from "../refused.ts";
import type { Seat } from "../seat.ts";
import { findWho } from "../worker/reference.ts";
import { withEnd } from "./history.ts";
import { holderOf } from "./holder.ts";
import type { Called, Given, LeaseLine, LeaseOrder, Loss, NamedHolder } from "./line.ts";
import { onlyWorkers } from "./options.ts";
import { asCalled } from "./options.ts";
import { journalNow, sightAfter } from "./sighting.ts";
import { endIn, viewOfLease, type LeaseView } from "./view.ts";

/** Who acts: an operator, who names holders of all kinds, or a worker, who names workers. */
interface Acting {
  readonly by: Actor;
  /** The worker that acts, if it is one. */
  readonly worker?: string;
}

/** The line of who holds leases in this process, to the journal itself or its supervisor. */
export function lineHere(seat: Seat, acting: Acting): LeaseLine {
  return new LineHere(seat, acting);
}

class LineHere implements LeaseLine {
  readonly clock: LeaseLine["clock"];
  readonly timers: LeaseLine["timers"];
  readonly log: LeaseLine["log"];
  readonly closing: AbortSignal;
  readonly #seat: Seat;
  readonly #acting: Acting;

  constructor(seat: Seat, acting: Acting) {
    this.clock = seat.clock;
    this.timers = seat.timers;
    this.log = seat.log;
    this.closing = seat.closing;
    this.#seat = seat;
    this.#acting = acting;
  }

  async give(order: LeaseOrder, called: Called = {}): Promise<Given> {
    demandOpen(this.#seat);
    const from = { cwd: currentFolder(), path: "options.worktree" };
    const command = placed(this.#seat, checkedCommand(order, called), from);
    const killed = await answerWithoutPermit(this.#seat, command.kind);
    if (killed !== null) return killed;
    const { token = null, turnMs } = order;
    const so = {
      ...(token === null ? {} : { token }),
      ...(turnMs === undefined ? {} : { turnMs }),
    };
    const answer = await this.#seat.loop.submit(command, this.#acting.by, so);
    if (!answer.ok) return answer;
    if (command.kind === "lease.renew") await this.#beat(command.data.claim);
    // Of the kind that was given.
    const sighting = await sightAfter(this.#seat, command as LeaseOrder, answer.entries);
    return sighting === undefined ? answer : { ...answer, sighting };
  }

  async answerRefused(answer: Given & { readonly ok: false }): Promise<RefusedAnswer> {
    const { seq, refusal } = answer;
    return answerRefused(this.#seat, { seq, refusal: await withEnd(this.#seat.store, refusal) });
  }

  async nameHolder(text: string, path: string): Promise<NamedHolder> {
    const who = await findWho(this.#seat, text, path);
    if (this.#acting.worker === undefined || "worker" in who) return holderOf(this.#seat, who);
    throw onlyWorkers(text, path);
  }

  peek(id: string): LeaseView | undefined {
    const state = this.#seat.loop.state();
    const lease = state.book.leases.get(id);
    return lease && viewOfLease(state, lease, journalNow(this.#seat));
  }

  follow(
    held: { readonly id: string; readonly fence: number },
    onLost: (loss: Loss) => void,
  ): () => void {
    const { loop } = this.#seat;
    const unsubscribe = loop.onEntry((entry) => {
      const loss = lossIn(entry, held.id);
      if (loss !== undefined && !isHeldStill(loop.state(), held)) onLost(loss);
    });
    // What happened to it between its grant and now was not heard here.
    if (!isHeldStill(loop.state(), held)) onLost({ by: "ended" });
    return unsubscribe;
  }

  /** A worker that renews is alive. A beat may be lost: the next one says the same. */
  async #beat(claim: Claim): Promise<void> {
    const { worker } = this.#acting;
    if (worker === undefined || !("worker" in claim) || claim.worker !== worker) return;
    try {
      await this.#seat.store.pulse.beat(worker);
    } catch (error) {
      this.log.warn("a beat was lost", { worker, error: errorText(error) });
    }
  }
}

/** A command whose body was checked; what is wrong is named as its caller calls it. */
export function checkedCommand(
  given: { readonly kind: CommandKind; readonly data: object },
  called: Called,
): Command {
  const { kind } = given;
  try {
    // The parser answers the body that belongs to this very kind.
    return { kind, data: parseCommandData(kind, given.data, PLACE) } as Command;
  } catch (error) {
    throw asCalled(error, called);
  }
}

const PLACE = { path: "options", rename: toCamel };

/** What an entry says of the loss of a lease; undefined when it is about something else. */
function lossIn(entry: Entry, id: string): Loss | undefined {
  if (entry.kind === "fleet.killed") return { by: "killed" };
  if (!("lease" in entry.data) || entry.data.lease !== id) return undefined;
  if (entry.kind === "lease.handed_over") return { by: "taken_over" };
  const ended = endIn(entry);
  return ended && { by: ended.how, ended };
}

function isHeldStill(
  state: State,
  { id, fence }: { readonly id: string; readonly fence: number },
): boolean {
  return state.status !== "killed" && state.book.leases.get(id)?.fence === fence;
}
