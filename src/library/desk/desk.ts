import { isBeginning, type Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Holder } from "../../kernel/lease/lease.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { Permit } from "../../ports/permit.ts";
import type { CommandAnswer, CommandOrder } from "../../ports/supervision.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { holderOf, tokenFor, type Who } from "../lease/holder.ts";
import type { NamedHolder } from "../lease/line.ts";
import { meansWorker, WHOLE_WORKER_ID } from "../lease/options.ts";
import type { CheckOrder, PathDocument } from "../lease/path-verdict.ts";
import { leaseIn, type LeaseView } from "../lease/view.ts";
import { carryInLine } from "../queue/at-desk.ts";
import type { Turn } from "../queue/in-line.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import type { Keyring, Seat } from "../seat.ts";

/** What was decided, and the lease that it has left. */
export interface DeskAnswer {
  /** The newest entry of the decision, or of the journal where none was written. */
  readonly seq: number;
  readonly entries: readonly Entry[];
  /** Absent for commands that leave none, and where it has ended since. */
  readonly lease?: LeaseView;
  /** What an outside holder of it shows; null for a worker's, and where it is not known. */
  readonly token: string | null;
}

/** What goes with a command and is not written. */
export interface Giving {
  /** Whom it is to make a holder. */
  readonly named?: NamedHolder;
  /** The token whose hash its claim has. */
  readonly token?: string | undefined;
  /** Gives the waiting up for what others have: its reason is thrown then. */
  readonly signal?: AbortSignal;
  /** Told of the place in which it waits. */
  readonly onPlace?: (place: string) => void;
}

/**
 * Where one command about ground is given and answered, and nothing is held on to: for programs
 * that end after it. Commands are taken as they are: whoever gives them has checked them.
 */
export interface Desk {
  /** The worker that asks here, or null for the operator. */
  readonly self: string | null;
  /** Gives a command. Throws `Refused`, InputErrors and `Fault`s. */
  give(command: Command, giving?: Giving): Promise<DeskAnswer>;
  /** Finds out whom a text means. Throws an InputError when it means several workers. */
  findWho(text: string, path: string): Promise<Who>;
  /** The same for whom a lease is to be; an outside holder gets a fresh token. */
  nameHolder(text: string, path: string): Promise<NamedHolder>;
  /** Judges whether somebody may write paths; see `checkPaths`. */
  check(order: CheckOrder, holder: Who): Promise<readonly PathDocument[]>;
  /** Releases what is open here; safe to call twice. */
  close(): Promise<void>;
}

/** What became of a command, and the lease that it has left, where it left one. */
export interface Carried {
  readonly answer: CommandAnswer;
  readonly lease?: LeaseView | undefined;
}

/** An answer as waiting goes by it, with all that came of it. */
type CarriedStep = CommandAnswer & { readonly carried: Carried };

/** The journal itself, as a desk uses it that nobody else answers for. */
export interface Direct {
  readonly fleet: string;
  /** Has a command carried under an id, which makes it safe to repeat. */
  carry(id: string, command: Command, turn?: Turn): Promise<Carried>;
  /** A refusal for the end of a lease, with how that came. */
  tellEnd(refusal: Refusal): Promise<Refusal>;
  /** Who holds a lease, by the journal as it is now; undefined where there is none. */
  holderOf(lease: string): Promise<Holder | undefined>;
  findWho: Desk["findWho"];
  check: Desk["check"];
}

/** A command on its way to the supervisor. */
export type Relayed = Pick<CommandOrder, "id" | "command" | "token" | "turn_ms">;

/** What an operator's desk works with; what is not needed for a command is not opened. */
export interface OperatorDeskOptions extends Pick<Seat, "random" | "clock" | "timers"> {
  readonly keys: Pick<Keyring, "signer">;
  /** Has a command carried by the supervisor; undefined when none did. */
  readonly relay: (order: Relayed) => Promise<CommandAnswer | undefined>;
  /** The fleet's id. */
  readonly fleet: () => Promise<string>;
  readonly permit: Pick<Permit, "isGranted">;
  /** Opens the journal itself; the same each time. */
  readonly direct: () => Promise<Direct>;
  readonly close: () => Promise<void>;
}

/** Opens the desk of an operator. */
export function operatorDesk(options: OperatorDeskOptions): Desk {
  return new OperatorDesk(options);
}

class OperatorDesk implements Desk {
  readonly self = null;
  readonly #so: OperatorDeskOptions;

  constructor(options: OperatorDeskOptions) {
    this.#so = options;
  }

  async give(command: Command, giving: Giving = {}): Promise<DeskAnswer> {
    const { named, token: shown, signal, onPlace } = giving;
    const { clock, timers } = this.#so;
    const { step, place } = await carryInLine<CarriedStep>(command, {
      clock,
      timers,
      carry: async (one, so) => {
        const done = await this.#carried(one, { token: shown, ...so });
        return { ...done.answer, carried: done };
      },
      leaseIn: ({ carried }) => carried.lease?.id,
      token: named?.token ?? null,
      signal,
      onPlace,
    });
    const { answer, lease } = step.carried;
    if (!answer.ok) throw await this.#refused(answer);
    const { seq, entries } = answer;
    if (lease === undefined) return { seq, entries, token: null };
    // An answer that was lost is given again without its entries.
    const isWaitedFor = place !== undefined && lease.place === place;
    const isNew = isWaitedFor || entries.some(({ kind }) => GIVING.has(kind));
    const token = isNew ? (named?.token ?? null) : await this.#tokenOf(lease.id);
    return { seq, entries, lease, token };
  }

  async findWho(text: string, path: string): Promise<Who> {
    const reference = meansWorker(text);
    if (reference === undefined) return { name: text };
    // A whole id is one, whoever has it; what is less is looked for.
    if (WHOLE_WORKER_ID.test(reference)) return { worker: reference };
    return (await this.#so.direct()).findWho(text, path);
  }

  async nameHolder(text: string, path: string): Promise<NamedHolder> {
    const { keys, random, fleet } = this.#so;
    const who = await this.findWho(text, path);
    if ("worker" in who) return { holder: who, token: null };
    return holderOf({ fleet: await fleet(), keys, random }, who);
  }

  async check(order: CheckOrder, holder: Who): Promise<readonly PathDocument[]> {
    return (await this.#so.direct()).check(order, holder);
  }

  close(): Promise<void> {
    return this.#so.close();
  }

  /**
   * Under one id to the supervisor, where one runs, and if it did not answer to the journal itself,
   * so that there is one decision in any case.
   */
  async #carried(
    command: Command,
    { token, turnMs }: Turn & { readonly token?: string | undefined },
  ): Promise<Carried> {
    const { random, relay } = this.#so;
    const id = freshCommandId(random);
    // Opening the journal journals a kill that it does not know of, and the rules refuse then.
    const order = {
      id,
      command,
      ...(token === undefined ? {} : { token }),
      ...(turnMs === undefined ? {} : { turn_ms: turnMs }),
    };
    const relayed = (await this.#isPermitted(command)) ? await relay(order) : undefined;
    if (relayed === undefined) {
      const turn = turnMs === undefined ? {} : { turnMs };
      return (await this.#so.direct()).carry(id, command, turn);
    }
    if (!relayed.ok) return { answer: relayed };
    return { answer: relayed, lease: relayed.sighting && leaseIn(relayed.sighting.lease) };
  }

  async #refused(answer: CommandAnswer & { readonly ok: false }): Promise<Refused> {
    const { refusal, seq } = answer;
    const told = refusal.code === "lease_ended" ? await this.#tellEnd(refusal) : refusal;
    return new Refused(refusedAnswer(told).refusal, seq);
  }

  async #tellEnd(refusal: Refusal): Promise<Refusal> {
    try {
      return await (await this.#so.direct()).tellEnd(refusal);
    } catch {
      // How it came cannot be looked up now; that it was refused is what is to be told.
      return refusal;
    }
  }

  async #isPermitted({ kind }: Command): Promise<boolean> {
    const { permit, fleet } = this.#so;
    return !isBeginning(kind) || permit.isGranted(await fleet());
  }

  async #tokenOf(id: string): Promise<string | null> {
    const { keys, fleet } = this.#so;
    const holder = await (await this.#so.direct()).holderOf(id);
    return holder === undefined ? null : tokenFor({ fleet: await fleet(), keys }, holder);
  }
}

/** Events by which somebody comes to hold a lease. */
const GIVING: ReadonlySet<string> = new Set(["lease.granted", "lease.handed_over"]);
