import type { Command } from "../../kernel/command.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { CommandAnswer } from "../../ports/supervision.ts";
import type { WorkerDoor } from "../../ports/worker-door.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import type { Timers } from "../../runtime/timers.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import type { Desk, DeskAnswer, Giving } from "./desk.ts";
import type { Who } from "../lease/holder.ts";
import type { NamedHolder } from "../lease/line.ts";
import { meansWorker, onlyWorkers } from "../lease/options.ts";
import type { CheckOrder, PathDocument } from "../lease/path-verdict.ts";
import { leaseIn, tellOwnEnd } from "../lease/view.ts";
import { carryInLine } from "../queue/at-desk.ts";

/** How a worker names itself. */
const SELF = "self";

/** What a worker's desk works with. */
export interface WorkerDeskOptions {
  readonly door: WorkerDoor;
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Opens the desk of a worker at its socket. */
export async function workerDesk(options: WorkerDeskOptions): Promise<Desk> {
  const { manifest } = await options.door.self();
  return new WorkerDesk(options, manifest.instance);
}

class WorkerDesk implements Desk {
  readonly self: string;
  readonly #so: WorkerDeskOptions;

  constructor(options: WorkerDeskOptions, self: string) {
    this.self = self;
    this.#so = options;
  }

  async give(command: Command, { signal, onPlace }: Giving = {}): Promise<DeskAnswer> {
    const { door, random, clock, timers } = this.#so;
    const { step: answer } = await carryInLine<CommandAnswer>(command, {
      clock,
      timers,
      carry: (one, { turnMs }) => {
        const held = turnMs === undefined ? {} : { turn_ms: turnMs };
        return door.submit({ id: freshCommandId(random), command: one, ...held });
      },
      leaseIn: (step) =>
        step.ok && step.sighting !== undefined ? leaseIn(step.sighting.lease).id : undefined,
      token: null,
      signal,
      onPlace,
    });
    if (!answer.ok) {
      const refusal = await tellOwnEnd(door, answer.refusal);
      throw new Refused(refusedAnswer(refusal).refusal, answer.seq);
    }
    const { seq, entries, sighting } = answer;
    const left = sighting === undefined ? {} : { lease: leaseIn(sighting.lease) };
    return { seq, entries, ...left, token: null };
  }

  /** A worker sees no others: a name of one is the rules' to know. */
  async findWho(text: string): Promise<Who> {
    const worker = text === SELF ? this.self : meansWorker(text);
    return worker === undefined ? { name: text } : { worker };
  }

  async nameHolder(text: string, path: string): Promise<NamedHolder> {
    const who = await this.findWho(text);
    if ("worker" in who) return { holder: who, token: null };
    throw onlyWorkers(text, path);
  }

  async check(order: CheckOrder, holder: Who): Promise<readonly PathDocument[]> {
    if (!("worker" in holder)) throw onlyWorkers(holder.name, "holder");
    const judged = await this.#so.door.check(holder.worker, order);
    if (!judged.ok) throw new Refused(refusedAnswer(judged.refusal).refusal, judged.seq);
    // The supervisor is this very program: what it says of a path has these fields.
    return judged.paths as unknown as readonly PathDocument[];
  }

  close(): Promise<void> {
    return this.#so.door.close();
  }
}
