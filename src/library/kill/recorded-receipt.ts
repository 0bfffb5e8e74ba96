import type { KeyRecord } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, type Journal } from "../../ports/journal.ts";
import type { Signer } from "../../ports/signer.ts";
import { InputError } from "../../protocol/input.ts";
import { parseSeq, unknownEntry } from "../explain/past.ts";
import type { Camel } from "../names.ts";
import { isStatementSigned, type Receipt } from "./receipt.ts";

/** A receipt as the journal has it, in wire form. */
export interface RecordedReceiptDocument {
  /** The entry that holds it. */
  readonly recorded_seq: number;
  readonly at_ms: number;
  /** Whether the fleet's key of that time has signed it and nothing of it was changed since. */
  readonly is_signed: boolean;
  /** Whether it lists its workers; one that was too long for the journal has only their hash. */
  readonly is_whole: boolean;
  readonly receipt: JsonObject;
}

/** A receipt as the journal has it. */
export type RecordedReceipt = Omit<Camel<RecordedReceiptDocument>, "receipt"> & {
  readonly receipt: Omit<Receipt, "workers"> & Partial<Pick<Receipt, "workers">>;
};

/**
 * Finds the receipt that an entry holds, or the newest one of the kill or stop that it orders, and
 * checks its signature. Reads the whole journal, verified, for the key may have been rotated.
 *
 * Throws an InputError `entry_unknown` when there is no such entry, or no receipt of it.
 */
export async function findReceipt(
  journal: Journal,
  verify: Signer["verify"],
  seq: unknown,
): Promise<RecordedReceiptDocument> {
  const search = new Search(parseSeq(seq), verify);
  let after: { readonly seq: number; readonly hash: string } = GENESIS;
  for (;;) {
    const page = await journal.read(after, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) return search.found(after.seq);
    for (const entry of page) search.step(entry);
    after = { seq: last.seq, hash: last.hash };
  }
}

class Search {
  readonly #seq: number;
  readonly #verify: Signer["verify"];
  #key: KeyRecord | undefined;
  #decision: { readonly id: string; readonly seqs: number[] } = { id: "", seqs: [] };
  /** The seqs of the decision that is asked about: a tree stop has several entries. */
  #asked: readonly number[] = [];
  #receipt: RecordedReceiptDocument | undefined;

  constructor(seq: number, verify: Signer["verify"]) {
    this.#seq = seq;
    this.#verify = verify;
  }

  step(entry: Entry): void {
    if (entry.kind === "fleet.created" || entry.kind === "key.rotated") this.#key = entry.data.key;
    if (entry.id !== this.#decision.id) this.#decision = { id: entry.id, seqs: [] };
    this.#decision.seqs.push(entry.seq);
    if (entry.seq === this.#seq) this.#asked = this.#decision.seqs;
    if (entry.kind === "receipt.recorded" && this.#isMeant(entry))
      this.#receipt = this.#check(entry);
  }

  #isMeant({ seq, data }: Entry<"receipt.recorded">): boolean {
    if (seq === this.#seq) return true;
    const ordered = data.receipt["seq"];
    return typeof ordered === "number" && this.#asked.includes(ordered);
  }

  #check({ seq, at_ms, data }: Entry<"receipt.recorded">): RecordedReceiptDocument {
    const { receipt } = data;
    const is_signed =
      this.#key !== undefined && isStatementSigned(receipt, this.#key, this.#verify);
    const is_whole = receipt["workers"] !== undefined;
    return { recorded_seq: seq, at_ms, is_signed, is_whole, receipt };
  }

  found(endSeq: number): RecordedReceiptDocument {
    if (this.#receipt !== undefined) return this.#receipt;
    if (this.#asked.length === 0) throw unknownEntry(this.#seq, endSeq);
    const expected = "that of a receipt, or of a kill or stop that has one on record";
    const got = `${this.#seq}, which has none`;
    throw new InputError("entry_unknown", [{ path: "seq", expected, got }]);
  }
}
