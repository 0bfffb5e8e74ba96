import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { INITIAL_STATE } from "../../kernel/state.ts";
import type { CommandAnswer } from "../../ports/supervision.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import type { Keyring, Seat } from "../seat.ts";
import { checkPaths } from "../lease/checking.ts";
import { findWho, holderOf, tokenFor, type Who } from "../lease/holder.ts";
import type { LeaseOrder, NamedHolder } from "../lease/line.ts";
import type { CheckOrder, PathDocument } from "../lease/path-verdict.ts";
import { sightAfter } from "../lease/sighting.ts";
import { leaseIn, type LeaseView } from "../lease/view.ts";

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

/**
 * Where one command about ground is given and answered, and nothing is held on to: for programs
 * that end after it. Commands are taken as they are: whoever gives them has checked them.
 */
export interface Desk {
  /** The worker that asks here, or null for the operator. */
  readonly self: string | null;
  /**
   * Gives a command; `named` is whom it is to make a holder. Throws `Refused`, InputErrors and
   * `Fault`s.
   */
  give(command: Command, named?: NamedHolder): Promise<DeskAnswer>;
  /** Finds out whom a text means. Throws an InputError when it means several workers. */
  findWho(text: string, path: string): Promise<Who>;
  /** The same for whom a lease is to be; an outside holder gets a fresh token. */
  nameHolder(text: string, path: string): Promise<NamedHolder>;
  /** Judges whether somebody may write paths; see {@link checkPaths}. */
  check(order: CheckOrder, holder: Who): Promise<readonly PathDocument[]>;
  /** Releases what is open here; safe to call twice. */
  close(): Promise<void>;
}

/** The journal as a desk opens it. */
export interface DeskSeat extends Pick<Seat, "loop" | "owner" | "timers" | "lookAtGround"> {
  readonly store: Pick<Seat["store"], "journal" | "permit" | "address">;
  readonly host: Pick<Seat["host"], "id" | "uid" | "user">;
}

/** What an operator's desk works with; what is not needed for a command is not opened. */
export interface OperatorDeskOptions extends Pick<Seat, "random"> {
  readonly by: Actor;
  readonly keys: Pick<Keyring, "signer">;
  /** Has a command carried by the supervisor; undefined when none did. */
  readonly relay: (id: string, command: Command) => Promise<CommandAnswer | undefined>;
  /** The fleet's id. */
  readonly fleet: () => Promise<string>;
  /** Opens the journal itself; the same each time. */
  readonly direct: () => Promise<DeskSeat>;
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

  async give(command: Command, named?: NamedHolder): Promise<DeskAnswer> {
    const { answer, lease } = await this.#carried(command);
    if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
    const { seq, entries } = answer;
    if (lease === undefined) return { seq, entries, token: null };
    const isNew = entries.some(({ kind }) => GIVING.has(kind));
    const token = isNew ? (named?.token ?? null) : await this.#tokenOf(lease.id);
    return { seq, entries, lease, token };
  }

  async findWho(text: string, path: string): Promise<Who> {
    const { direct } = this.#so;
    const look = async () => (await direct()).loop.look();
    return findWho({ loop: { state: () => INITIAL_STATE, look } }, text, path);
  }

  async nameHolder(text: string, path: string): Promise<NamedHolder> {
    const { keys, random } = this.#so;
    const who = await this.findWho(text, path);
    if ("worker" in who) return { holder: who, token: null };
    return holderOf({ fleet: await this.#so.fleet(), keys, random }, who);
  }

  async check(order: CheckOrder, holder: Who): Promise<readonly PathDocument[]> {
    return checkPaths(await this.#so.direct(), order, { holder, root: undefined });
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
  ): Promise<{ readonly answer: CommandAnswer; readonly lease?: LeaseView | undefined }> {
    const { random, relay, by } = this.#so;
    const id = freshCommandId(random);
    const relayed = await relay(id, command);
    if (relayed?.ok === false) return { answer: relayed };
    if (relayed !== undefined)
      return { answer: relayed, lease: relayed.sighting && leaseIn(relayed.sighting.lease) };
    const seat = await this.#so.direct();
    const answer = await seat.loop.submit(command, by, { id });
    if (!answer.ok || !isAboutLease(command)) return { answer };
    return { answer, lease: (await sightAfter(seat, command, answer.entries))?.lease };
  }

  async #tokenOf(id: string): Promise<string | null> {
    const { keys } = this.#so;
    const { loop } = await this.#so.direct();
    const lease = loop.state().book.leases.get(id);
    return lease === undefined
      ? null
      : tokenFor({ fleet: await this.#so.fleet(), keys }, lease.holder);
  }
}

/** Events by which somebody comes to hold a lease. */
const GIVING: ReadonlySet<string> = new Set(["lease.granted", "lease.handed_over"]);

function isAboutLease(command: Command): command is LeaseOrder {
  return command.kind.startsWith("lease.");
}
