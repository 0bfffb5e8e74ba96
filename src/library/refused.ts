import type { JsonObject } from "../kernel/json.ts";
import type { Refusal, RefusalCode } from "../kernel/refusal.ts";
import { toEdge } from "./names.ts";

/** A refusal as the library shows it: a frozen copy, the names of its facts in camelCase. */
export interface RefusalView {
  readonly code: RefusalCode;
  /** A sentence with expectation and actual value, for people. */
  readonly message: string;
  /** The same for programs. */
  readonly facts: JsonObject;
}

/** An answer of the library that says no: a value, so that it harms nobody. */
export interface RefusedAnswer {
  readonly ok: false;
  readonly refusal: RefusalView;
  /** The entry that records it; absent where nothing was recorded, as by the limit on refusals. */
  readonly seq?: number;
}

/** An answer of the library that may be a refusal. */
export type Refusable<T> = ({ readonly ok: true } & T) | RefusedAnswer;

/**
 * The rules said no to something that has no other answer: thrown by `start`, `performTask` and
 * the verbs of an operator. `tryStart`, `maybeReplicate` and the single steps answer the same
 * refusal as a value.
 */
export class Refused extends Error {
  override readonly name = "Refused";
  /** What the rules answered, with its code and facts. */
  readonly refusal: RefusalView;
  /** The entry that records it; undefined where it is not known, or nothing was recorded. */
  readonly seq: number | undefined;

  /** The message begins with the code: `max_replicas: live workers … there are 10`. */
  constructor(refusal: RefusalView, seq?: number) {
    super(`${refusal.code}: ${refusal.message}`);
    this.refusal = refusal;
    this.seq = seq;
  }

  /** The refusal's code. */
  get code(): RefusalCode {
    return this.refusal.code;
  }
}

/** Makes the answer that says no from a refusal of the kernel; `seq` is that of its answer. */
export function refusedAnswer(refusal: Refusal, seq?: number): RefusedAnswer {
  const place = seq === undefined ? {} : { seq };
  return Object.freeze({ ok: false, refusal: toEdge(refusal), ...place });
}
