import type { Command } from "../../kernel/command.ts";
import { RULES, type Entry } from "../../kernel/entry.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Signer } from "../../ports/signer.ts";
import { sha256Of } from "../canonical.ts";
import type { Follower } from "../follower.ts";
import { unsignedCount, type Place } from "../place.ts";
import { signHead } from "./signed-head.ts";
import { encodeStateInTurns } from "../state-codec.ts";
import type { Timers } from "../timers.ts";

/** What signing heads works with. */
export interface HeadSigningOptions {
  readonly journal: Journal;
  readonly follower: Follower;
  readonly signer: Signer;
  readonly timers: Timers;
  readonly log: Log;
  readonly everyEntries: number;
  /** Has a signed head journaled. */
  readonly submit: (command: Command<"journal.sign">) => Promise<unknown>;
}

/**
 * Saves snapshots and signs the heads they belong to: every so many entries, after a fleet was
 * created or its key rotated, and on demand. One at a time; several processes may each sign.
 *
 * A signature that fails costs nothing but speed: the next opening folds more entries.
 */
export class HeadSigning {
  readonly #so: HeadSigningOptions;
  #signer: Signer;
  #running: Promise<void> | undefined;
  /** Where the last signature was tried: a store that fails is not tried at every entry. */
  #triedSeq = 0;

  constructor(options: HeadSigningOptions) {
    this.#so = options;
    this.#signer = options.signer;
  }

  /** Signs with another key from now on, and soon, if it is the fleet's. */
  useSigner(signer: Signer): void {
    this.#signer = signer;
    this.#begin();
  }

  /** Looks at entries that this process has appended, and signs when it is time to. */
  consider(entries: readonly Entry[]): void {
    const { place } = this.#so.follower;
    const triedCount = place.contentSeq - this.#triedSeq;
    const { everyEntries } = this.#so;
    const isDue = unsignedCount(place) >= everyEntries && triedCount >= everyEntries;
    const isTurn = ({ kind }: Entry): boolean => kind === "fleet.created" || kind === "key.rotated";
    if (isDue || entries.some(isTurn)) this.#begin();
  }

  /** Resolves when what was begun is done, or was given up. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Signs what is not signed yet; resolves when that is done, or was given up. */
  async finish(): Promise<void> {
    await this.#running;
    this.#begin();
    await this.#running;
  }

  #begin(): void {
    if (this.#running !== undefined || !this.#canSign()) return;
    this.#running = this.#sign()
      .catch((error: unknown) => {
        // Whatever kept it from signing: commands must not fail for it, and the next try may work.
        this.#so.log.warn("the journal's head could not be signed", { error });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  #canSign(): boolean {
    const { place } = this.#so.follower;
    const { key_id: keyId, public_key: publicKey } = place.state.key;
    const { key } = this.#signer;
    return unsignedCount(place) > 0 && keyId === key.key_id && publicKey === key.public_key;
  }

  async #sign(): Promise<void> {
    const { journal, follower, timers, submit } = this.#so;
    const { place } = follower;
    this.#triedSeq = place.head.seq;
    await submit(await keepPlace(place, { journal, timers, signer: this.#signer }));
  }
}

/** Keeps the snapshot of a place; answers the command by which a signed head vouches for it. */
export async function keepPlace(
  { head, state }: Pick<Place, "head" | "state">,
  { journal, timers, signer }: Pick<HeadSigningOptions, "journal" | "timers" | "signer">,
): Promise<Command<"journal.sign">> {
  const text = await encodeStateInTurns(state, timers);
  const stateHash = sha256Of(text);
  await journal.saveSnapshot({ ...head, rules: RULES, state: text, stateHash });
  return { kind: "journal.sign", data: signHead(signer, head, stateHash) };
}
