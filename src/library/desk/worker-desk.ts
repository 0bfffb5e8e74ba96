import type { Command } from "../../kernel/command.ts";
import type { Random } from "../../ports/random.ts";
import type { WorkerDoor } from "../../ports/worker-door.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import type { Desk, DeskAnswer } from "./desk.ts";
import type { Who } from "../lease/holder.ts";
import type { NamedHolder } from "../lease/line.ts";
import { meansWorker, onlyWorkers } from "../lease/options.ts";
import type { CheckOrder, PathDocument } from "../lease/path-verdict.ts";
import { leaseIn, tellOwnEnd } from "../lease/view.ts";

/** How a worker names itself. */
const SELF = "self";

/** Opens the desk of a worker at its socket. */
export async function workerDesk(door: WorkerDoor, random: Random): Promise<Desk> {
  const { manifest } = await door.self();
  return new WorkerDesk({ door, random, self: manifest.instance });
}

interface WorkerDeskOptions {
  readonly door: WorkerDoor;
  readonly random: Random;
  readonly self: string;
}

class WorkerDesk implements Desk {
  readonly self: string;
  readonly #so: WorkerDeskOptions;

  constructor(options: WorkerDeskOptions) {
    this.self = options.self;
    this.#so = options;
  }

  async give(command: Command): Promise<DeskAnswer> {
    const { door, random } = this.#so;
    const answer = await door.submit({ id: freshCommandId(random), command });
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
