import type { Entry } from "../../kernel/entry.ts";
import type { JsonObject } from "../../kernel/json.ts";

/** An entry as it stands in the journal, with its hash. */
export type EntryDocument = Entry;

/** Why an entry is as it is; every text is a part of a sentence. */
export interface ExplainedDocument {
  readonly seq: number;
  readonly kind: string;
  readonly at_ms: number;
  readonly by: string;
  readonly asked: string;
  /** Whether time alone did it: the command only brought it to light. */
  readonly by_time: boolean;
  readonly decided: string;
  readonly because: string;
  /** What would have made it pass; null unless it is a refusal. */
  readonly would_pass: string | null;
  readonly code: string | null;
  readonly facts: JsonObject;
  /** Whether these rules decide the same again; null where that cannot be asked. */
  readonly redecided: "same" | "other" | null;
  /** All of it in one paragraph. */
  readonly text: string;
}

/** What a command has done: the entries that it has written, none where nothing was to be. */
export interface DecidedDocument {
  /** The newest entry of the decision, or of the journal where it wrote none. */
  readonly seq: number;
  readonly entries: readonly EntryDocument[];
}
