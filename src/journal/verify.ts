import canonicalize from "canonicalize";
import { ok } from "../kernel/assert.ts";
import type { KeyRecord } from "../kernel/command.ts";
import type { Entry } from "../kernel/entry.ts";
import { LIMITS } from "../kernel/limits.ts";
import { Fault } from "../ports/fault.ts";
import { GENESIS, type Head, type Journal } from "../ports/journal.ts";
import { hashOf } from "./chain.ts";

/** How to verify a journal. */
export interface VerifyOptions {
  /** Whether `signature` (base64url) is over `bytes` by `publicKey`, as a `Signer` has it. */
  readonly verifySignature: (bytes: Uint8Array, signature: string, publicKey: string) => boolean;
  /** The key that must be in force at the end: without it, signatures only prove themselves. */
  readonly key?: KeyRecord;
  /** Called with every entry, once it is verified, in order. */
  readonly visit?: (entry: Entry) => void;
  /** Called now and then with the newest entry verified and the journal's end. */
  readonly onProgress?: (seq: number, endSeq: number) => void;
}

/** A signed head that holds: it vouches for all entries up to `atSeq`. */
export interface Anchor {
  /** The entry that carries the signature. */
  readonly seq: number;
  readonly atSeq: number;
  readonly keyId: string;
}

/** What a verification has found; everything that is wrong is thrown instead. */
export interface Verification {
  readonly head: Head;
  /** Fewer than the newest seq where entries were lost. */
  readonly entryCount: number;
  readonly signedCount: number;
  /** The newest signed head, or null when there is none. */
  readonly anchor: Anchor | null;
  /** Entries after the newest anchor: only the chain vouches for them. */
  readonly unanchoredCount: number;
}

/**
 * Verifies a whole journal: every hash, link and seq, every signed head, and the store beneath.
 *
 * A signed head must be signed by the key in force where it stands and name an entry before it.
 * Throws `Fault` `journal_corrupt` naming the entry, `journal_truncated`, `journal_forked`,
 * `journal_newer`; `key_mismatch` when the journal ends under another key than the caller's.
 */
export async function verifyJournal(
  journal: Journal,
  options: VerifyOptions,
): Promise<Verification> {
  const end = await journal.head();
  const walk = new Walk(journal, options);
  let head: Head = GENESIS;
  // Entries that are appended meanwhile are verified too; the walk ends where it meets the end.
  for (;;) {
    const page = await journal.read(head, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const entry of page) await walk.step(entry);
    head = { seq: last.seq, hash: last.hash };
    options.onProgress?.(head.seq, Math.max(head.seq, end.seq));
  }
  await journal.inspect();
  walk.mustEndUnder(options.key);
  const { anchor, signedCount } = walk;
  const { entryCount } = walk;
  const unanchoredCount = entryCount - walk.countUpTo(anchor?.atSeq ?? 0);
  return { head, entryCount, signedCount, anchor, unanchoredCount };
}

/** The keys and signed heads met so far. */
class Walk {
  readonly #journal: Journal;
  readonly #options: VerifyOptions;
  #key: KeyRecord | undefined;
  anchor: Anchor | null = null;
  signedCount = 0;
  entryCount = 0;
  /** Where entries are missing: how many before this seq, the newest last. */
  readonly #gaps: { readonly seq: number; readonly missingCount: number }[] = [];

  constructor(journal: Journal, options: VerifyOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Takes in an entry whose place in the chain is verified. */
  async step(entry: Entry): Promise<void> {
    if (entry.kind === "journal.signed") await this.#checkSigned(entry);
    this.entryCount += 1;
    if (entry.kind === "fleet.recovered")
      this.#gaps.push({ seq: entry.seq, missingCount: entry.seq - this.entryCount });
    if (entry.kind === "fleet.created" || entry.kind === "key.rotated") this.#key = entry.data.key;
    this.#options.visit?.(entry);
  }

  /** How many entries there are up to one that the walk has met. */
  countUpTo(seq: number): number {
    return seq - (this.#gaps.findLast((gap) => gap.seq <= seq)?.missingCount ?? 0);
  }

  /** Throws `Fault` `key_mismatch` unless the key in force is the one that the caller trusts. */
  mustEndUnder(key: KeyRecord | undefined): void {
    const own = this.#key;
    if (key === undefined || own === undefined) return;
    if (own.key_id === key.key_id && own.public_key === key.public_key) return;
    const message = `the journal must end under the key ${key.key_id}, it ends under ${own.key_id}`;
    throw new Fault("key_mismatch", message);
  }

  async #checkSigned(entry: Entry<"journal.signed">): Promise<void> {
    const { at_seq, head_hash, state_hash, key_id, signature } = entry.data;
    const place = `entry ${entry.seq}, a signed head,`;
    if (this.#key === undefined || key_id !== this.#key.key_id) {
      const inForce = this.#key?.key_id ?? "none";
      throw corrupt(`${place} must be signed by the key in force, ${inForce}, got ${key_id}`);
    }
    const found = at_seq < entry.seq ? await this.#hashAt(at_seq) : "no entry before it";
    if (found !== head_hash) {
      throw corrupt(`${place} must name entry ${at_seq} as ${head_hash}, that is ${found}`);
    }
    const signed = canonicalize({ at_seq, head_hash, state_hash, key_id });
    ok(signed !== undefined, "an object has a canonical form");
    const bytes = Buffer.from(signed);
    if (!this.#options.verifySignature(bytes, signature, this.#key.public_key)) {
      throw corrupt(`${place} must bear a valid signature of the key ${key_id}, it does not`);
    }
    this.signedCount += 1;
    this.anchor = { seq: entry.seq, atSeq: at_seq, keyId: key_id };
  }

  /** The hash over an earlier entry as it is stored: the walk has verified it already. */
  async #hashAt(seq: number): Promise<string | undefined> {
    const [stored] = seq > 0 ? await this.#journal.readStored(seq - 1, 1) : [];
    return stored?.seq === seq ? hashOf(stored.text) : undefined;
  }
}

function corrupt(message: string): Fault {
  return new Fault("journal_corrupt", message);
}
