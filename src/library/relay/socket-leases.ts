import { freshCommandId } from "../../runtime/base32.ts";
import { onlyWorkers, meansWorker } from "../lease/options.ts";
import {
  commandOf,
  type Called,
  type Given,
  type LeaseLine,
  type LeaseOrder,
  type Loss,
  type NamedHolder,
} from "../lease/line.ts";
import { asCalled } from "../lease/options.ts";
import { leaseHolder, type LeaseHolder } from "../lease/own.ts";
import { readOwnCheck, verdictsIn } from "../lease/path-verdict.ts";
import { leaseIn, tellOwnEnd, type LeaseView } from "../lease/view.ts";
import { Refused, refusedAnswer, type RefusedAnswer } from "../refused.ts";
import { demandJson, inOurWords } from "./child-request.ts";
import type { Held } from "./holdings.ts";
import { mustBeOpen, type SocketSeat } from "./socket-seat.ts";

/** The verbs about leases of a worker, this process or one below it, through its socket. */
export function socketLeases(seat: SocketSeat, worker: string): LeaseHolder {
  return leaseHolder(new SocketLine(seat), worker, {
    leases: async () => {
      mustBeOpen(seat);
      const seen = await seat.door.leases(worker);
      if (!seen.ok) throw new Refused(refusedAnswer(seen.refusal).refusal, seen.seq);
      return Object.freeze(seen.leases.map(leaseIn));
    },
    check: async (paths, options) => {
      mustBeOpen(seat);
      const order = readOwnCheck(paths, options);
      const seen = await seat.door.check(worker, order);
      if (!seen.ok) throw new Refused(refusedAnswer(seen.refusal).refusal, seen.seq);
      return verdictsIn(seen.paths);
    },
  });
}

class SocketLine implements LeaseLine {
  readonly clock: LeaseLine["clock"];
  readonly timers: LeaseLine["timers"];
  readonly log: LeaseLine["log"];
  readonly closing: AbortSignal;
  readonly #seat: SocketSeat;

  constructor(seat: SocketSeat) {
    this.clock = seat.clock;
    this.timers = seat.timers;
    this.log = seat.log;
    this.closing = seat.closing;
    this.#seat = seat;
  }

  async give(order: LeaseOrder, called: Called = {}): Promise<Given> {
    mustBeOpen(this.#seat);
    const { door, random } = this.#seat;
    const { kind } = order;
    const data = demandJson(order.data, "options");
    const command = commandOf({ kind, data } as unknown as LeaseOrder);
    const id = freshCommandId(random);
    try {
      const { turnMs } = order;
      const waiting = turnMs === undefined ? {} : { turn_ms: turnMs };
      const answer = await inOurWords("options", () => door.submit({ id, command, ...waiting }));
      if (!answer.ok) return answer;
      const { sighting, ...granted } = answer;
      if (sighting === undefined) return granted;
      const { lease, remaining_ms: remainingMs } = sighting;
      return { ...granted, sighting: { lease: leaseIn(lease), remainingMs } };
    } catch (error) {
      throw asCalled(error, called);
    }
  }

  async answerRefused({ refusal, seq }: Given & { readonly ok: false }): Promise<RefusedAnswer> {
    return refusedAnswer(await tellOwnEnd(this.#seat.door, refusal), seq);
  }

  async nameHolder(text: string, path: string): Promise<NamedHolder> {
    const worker = meansWorker(text);
    if (worker === undefined) throw onlyWorkers(text, path);
    return { holder: { worker }, token: null };
  }

  /** What it holds is the supervisor's to know. */
  peek(): LeaseView | undefined {
    return undefined;
  }

  follow(held: Held, onLost: (loss: Loss) => void): () => void {
    return this.#seat.holdings.add(held, onLost);
  }
}
