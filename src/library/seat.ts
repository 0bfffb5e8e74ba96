import type { Actor } from "../kernel/actor.ts";
import type { Command, KeyRecord } from "../kernel/command.ts";
import type { Clock } from "../ports/clock.ts";
import type { ReadCommits } from "../ports/ground/commits.ts";
import type { GroundSight, Standpoint } from "../ports/ground/ground.ts";
import type { Head, Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { Signer } from "../ports/signer.ts";
import type { Answer, Loop } from "../runtime/loop.ts";
import type { Timers } from "../runtime/timers.ts";
import type { OpenStore } from "./fleet/store.ts";
import type { Host } from "./host.ts";
import { Refused, refusedAnswer } from "./refused.ts";

/** A fleet's secret, as the user gives it. */
export type Secret = string | Uint8Array;

/** What the library needs of the world besides a store. */
export interface Surroundings {
  /** The door that operators come through here. */
  readonly via: "library" | "cli";
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly host: Host;
  readonly log: Log;
  /** Throws RangeError or TypeError when the secret is none. */
  openSigner(secret: Secret): Signer;
  /** Verifies a whole journal, its hashes and signed heads. Throws `Fault` `journal_*`. */
  verifyJournal(journal: Journal, options: VerifyOptions): Promise<Verified>;
  /** Looks at the files that a fleet is about. */
  readonly lookAtGround: (standpoint: Standpoint) => GroundSight;
  readonly readCommits: ReadCommits;
}

/** How a journal is verified. */
export interface VerifyOptions {
  /** Whether `signature` (base64url) is over `bytes` by `publicKey`. */
  readonly verifySignature: Signer["verify"];
  /** The key that must be in force at the end. */
  readonly key: KeyRecord;
  /** Called now and then with the newest entry verified and the journal's end. */
  readonly onProgress?: (seq: number, endSeq: number) => void;
}

/** What verifying has found; everything that is wrong is thrown instead. */
export interface Verified {
  readonly head: Head;
  /** Fewer than the newest seq where entries were lost. */
  readonly entryCount: number;
  /** Entries after what the anchor vouches for. */
  readonly unanchoredCount: number;
  /** The newest signed head, which vouches for all entries up to `atSeq`; null without one. */
  readonly anchor: { readonly atSeq: number } | null;
}

/** One process's place in a fleet: what `openFleet` and `joinFleet` both stand on. */
export interface Seat extends Surroundings {
  readonly fleet: string;
  readonly loop: Loop;
  readonly store: OpenStore;
  readonly keys: Keys;
  /** Who acts here when no worker does: an operator, or the worker that joined. */
  readonly owner: Actor;
  /** Fires when the handle is closed: nothing more will be heard here. */
  readonly closing: AbortSignal;
}

/** The secret and the key in use in a process; others after a rotation by this very process. */
export interface Keyring {
  readonly signer: Signer;
  /** Handed to the processes that are started here, so that they can open the journal. */
  readonly secret: Secret;
  /** Whether the secret is the one that the store keeps in its file. */
  readonly isKept: boolean;
}

/** A keyring that can be given another secret. */
export class Keys implements Keyring {
  readonly isKept: boolean;
  readonly #loop: Loop;
  #inUse: Pick<Keyring, "signer" | "secret">;

  constructor(loop: Loop, first: Keyring) {
    this.#loop = loop;
    this.#inUse = first;
    this.isKept = first.isKept;
  }

  get signer(): Signer {
    return this.#inUse.signer;
  }

  get secret(): Secret {
    return this.#inUse.secret;
  }

  /** Uses another secret from now on: the fleet's key was rotated to it. */
  use(inUse: Pick<Keyring, "signer" | "secret">): void {
    this.#inUse = inUse;
    this.#loop.useSigner(inUse.signer);
  }
}

/** What of a host is said of who acts there. */
type WhereOf = Pick<Host, "id" | "uid" | "user">;

/** The actor for what an operator does in this process; a name is what he calls himself. */
export function operatorOf(
  { host, via }: { readonly host: WhereOf; readonly via: Surroundings["via"] },
  name: string | undefined,
): Actor {
  const who = { kind: "operator", via } as const;
  return name === undefined
    ? actorOf(host, who)
    : actorOf(host, { ...who, id: name, claimed: ["id"] });
}

/** Makes an actor of this process. What nothing but its own word says is named as claimed. */
export function actorOf(host: WhereOf, who: Pick<Actor, "kind" | "id" | "via" | "claimed">): Actor {
  const { id, uid, user } = host;
  return {
    kind: who.kind,
    ...(who.id === undefined ? {} : { id: who.id }),
    via: who.via,
    host: id,
    ...(uid === undefined ? {} : { uid }),
    ...(user === undefined ? {} : { user }),
    claimed: [...(who.claimed ?? []), "host", "uid", "user"],
  };
}

/** The actor for what this process observes: exits, silences, the passing of time. */
export function supervisorOf(seat: { readonly host: WhereOf }): Actor {
  return actorOf(seat.host, { kind: "supervisor", via: "runtime" });
}

/** The actor for what a worker does in this process. */
export function workerActor(seat: Seat, id: string): Actor {
  return actorOf(seat.host, { kind: "worker", id, via: "library", claimed: ["id"] });
}

/** An answer that granted what was asked. */
export type Granted = Extract<Answer, { readonly ok: true }>;

/** Submits a command whose refusal the caller has no other answer to: throws {@link Refused}. */
export async function demand(
  seat: Pick<Seat, "loop">,
  command: Command,
  by: Actor,
): Promise<Granted> {
  return demandOnce(seat, command, { by });
}

/** The same under an id, by which it is decided once, however often it is asked for. */
export async function demandOnce(
  seat: Pick<Seat, "loop">,
  command: Command,
  { by, id }: { readonly by: Actor; readonly id?: string | undefined },
): Promise<Granted> {
  const answer = await seat.loop.submit(command, by, id === undefined ? {} : { id });
  if (answer.ok) return answer;
  throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
}
