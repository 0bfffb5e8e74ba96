import type { Journal } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { OtherRules } from "../../runtime/replaying/hypothesis.ts";
import { reportReplay, type ReplayDocument } from "../../runtime/replaying/report.ts";
import type { WhatIfDocument } from "../../runtime/replaying/what-if.ts";
import type { Timers } from "../../runtime/timers.ts";
import { parseContractOptions, type ContractOptions } from "../fleet/contract.ts";
import { demandOptions } from "../given-options.ts";
import { parseGround, type GroundOptions } from "../ground/lanes.ts";
import { toEdge, type Camel } from "../names.ts";
import { demandSpan } from "./span.ts";
import { askWhatIf } from "./what-if.ts";
import type { PathInquiry, WhyOptions } from "./why.ts";

/** Which part of the record is asked, and how much is told. */
export interface RecordOptions {
  /** The first entry. */
  readonly fromSeq?: number;
  /** The last entry; default: the newest. */
  readonly untilSeq?: number;
  /** How many differences are told; default 100. All are counted. */
  readonly count?: number;
  /** Called now and then with the newest entry it has come to; whoever throws there ends it. */
  readonly onProgress?: (seq: number) => void;
}

/** How the record is replayed; `fromSeq` is 1 by default. */
export type ReplayOptions = RecordOptions;

/** What replaying the record has shown: a deep-frozen copy. */
export type ReplayReport = Camel<ReplayDocument>;

/** Under which rules the record is tried. At least one of `contract` and `ground` is given. */
export interface WhatIfOptions extends RecordOptions {
  /** Instead of the contracts on record, whole; a function condition goes by its name alone. */
  readonly contract?: ContractOptions;
  /** Instead of the lanes and rules about ground on record. */
  readonly ground?: GroundOptions;
  /** They are in force before the decision of this entry; default 2: right after the creation. */
  readonly fromSeq?: number;
  /** Whether what is granted in both is compared too, event for event; default false. */
  readonly comparesEvents?: boolean;
}

/** What other rules would have changed: a deep-frozen copy. */
export type WhatIfReport = Camel<WhatIfDocument>;

/** What a fleet answers about its record. Nothing of it writes an entry. */
export interface FleetInquirer {
  /**
   * Who may write a path now, and what happened on it: refusals and leases, the newest first. The
   * path is resolved as `check` resolves it. Reads the journal back as far as it takes.
   */
  why(path: string, options?: WhyOptions): Promise<PathInquiry>;
  /**
   * Decides every recorded command again, and reports by version of the rules what comes out
   * otherwise. Reads the whole journal. Throws an InputError for a part without an entry.
   */
  replay(options?: ReplayOptions): Promise<ReplayReport>;
  /**
   * Decides every recorded command as it would have been decided under other rules. Reads the whole
   * journal. Throws `Refused` where they could not have been put in force there, and an
   * InputError for a part without an entry.
   */
  whatIf(options: WhatIfOptions): Promise<WhatIfReport>;
}

const RECORD_FIELDS = ["fromSeq", "untilSeq", "count", "onProgress"];

const countDefault = 100;

/** What the record is asked with. */
interface Asking {
  readonly journal: Journal;
  readonly timers: Pick<Timers, "turn">;
}

/** Replays a record as a program asks for it. Throws an InputError. */
export async function replayFor(asking: Asking, options: unknown = {}): Promise<ReplayReport> {
  demandOptions(options, RECORD_FIELDS);
  const { count, ...span } = readSpan(options as RecordOptions);
  const { journal, timers } = asking;
  await demandSpan(journal, span, "options.fromSeq");
  const turn = (): Promise<void> => timers.turn();
  return toEdge(await reportReplay(journal, { ...span, differencesMax: count, turn }));
}

/** Tries other rules as a program asks for it. Throws an InputError, and `Refused`. */
export async function whatIfFor(asking: Asking, options: unknown): Promise<WhatIfReport> {
  const known = [...RECORD_FIELDS, "contract", "ground", "comparesEvents"];
  demandOptions(options, known, "an object with a contract or ground");
  const { contract, ground, comparesEvents = false, ...record } = options as WhatIfOptions;
  if (contract === undefined && ground === undefined)
    throw wrong("options", "an object with a contract or ground", undefined);
  if (typeof comparesEvents !== "boolean")
    throw wrong("options.comparesEvents", "true or false", comparesEvents);
  const others: OtherRules = {
    ...(contract === undefined ? {} : { contract: parseContractOptions(contract).contract }),
    ...(ground === undefined ? {} : { ground: parseGround(ground) }),
  };
  const { count, ...span } = readSpan(record);
  const { journal, timers } = asking;
  await demandSpan(journal, span, "options.fromSeq");
  const turn = (): Promise<void> => timers.turn();
  return toEdge(
    await askWhatIf(journal, others, { ...span, shownMax: count, comparesEvents, turn }),
  );
}

function readSpan({ fromSeq, untilSeq, count = countDefault, onProgress }: RecordOptions): {
  readonly fromSeq?: number;
  readonly untilSeq?: number;
  readonly count: number;
  readonly onProgress?: (seq: number) => void;
} {
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw wrong("options.onProgress", "a function", onProgress);
  return {
    ...(fromSeq === undefined ? {} : { fromSeq: demandInteger(fromSeq, "options.fromSeq", 1) }),
    ...(untilSeq === undefined ? {} : { untilSeq: demandInteger(untilSeq, "options.untilSeq", 1) }),
    count: demandInteger(count, "options.count", 0),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function demandInteger(value: unknown, path: string, min: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= min) return Number(value);
  throw wrong(path, `an integer from ${min} on`, value);
}

function wrong(path: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
