import type { Command, CommandKind, CommandMap } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Holder } from "../../kernel/lease/lease.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { RefusedAnswer } from "../refused.ts";
import type { LostBy } from "./lost.ts";
import type { LeaseEnd, LeaseView } from "./view.ts";

/** A lease as a command has left it. */
export interface Sighting {
  readonly lease: LeaseView;
  /**
   * How long it still gave its right at an instant after the command was sent, ms: whoever sent it
   * may count from then.
   */
  readonly remainingMs: number;
}

/** What became of a command about a lease. */
export type Given =
  | {
      readonly ok: true;
      readonly seq: number;
      readonly entries: readonly Entry[];
      /** The lease that it granted, moved or left as it was; absent where it has ended since. */
      readonly sighting?: Sighting;
    }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** A command about leases or places in their queue, before it is checked. */
export type LeaseOrder = {
  readonly [K in LeaseKind]: {
    readonly kind: K;
    readonly data: CommandMap[K];
    /** The token whose hash the claim has, where one is shown. */
    readonly token?: string | null;
    /** How long it may be held back until it may be its turn, ms. */
    readonly turnMs?: number;
  };
}[LeaseKind];

type LeaseKind = Extract<CommandKind, `lease.${string}` | `place.${string}`>;

/** What a caller calls a field that is called otherwise in the journal, by its path there. */
export type Called = Readonly<Record<string, string>>;

/** A holder, and what an outside one shows as its credential. */
export interface NamedHolder {
  readonly holder: Holder;
  readonly token: string | null;
}

/** Why a lease is lost, and how it ended, where that is known. */
export interface Loss {
  readonly by: LostBy;
  readonly ended?: LeaseEnd;
}

/**
 * How the holder of leases speaks to the fleet: from this process to the journal, or through the
 * socket of a worker. Whoever it is acts in every command that is given here.
 */
export interface LeaseLine {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Fires when nothing more is to be asked, and nothing more is heard. */
  readonly closing: AbortSignal;
  /**
   * Gives a command. Throws an InputError in the words of the caller, by `called`, and `Fault`s;
   * `closed` once the line is.
   */
  give(order: LeaseOrder, called?: Called): Promise<Given>;
  /** An answer that says no, as it is shown. */
  answerRefused(answer: Given & { readonly ok: false }): Promise<RefusedAnswer>;
  /** Finds out who is meant by a text, for a lease that is to be his. Throws an InputError. */
  nameHolder(text: string, path: string): Promise<NamedHolder>;
  /** A live lease as it is known here, without asking anybody; undefined where it is not. */
  peek(id: string): LeaseView | undefined;
  /** Tells, once, when a lease is lost to who holds it under a fence. Returns how to stop it. */
  follow(
    lease: { readonly id: string; readonly fence: number },
    onLost: (loss: Loss) => void,
  ): () => void;
}

/** A command whose kind and body belong together. */
export function commandOf({ kind, data }: LeaseOrder): Command {
  return { kind, data } as Command;
}
