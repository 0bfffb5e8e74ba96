import type { Call, Said } from "./call.ts";

/** One option of a verb, as commander writes it; `--json`, `--fleet`, `--help` are the frame's. */
export interface VerbOption {
  /** E.g. `--name <name>`, `-n, --tail <count>`, `--yes`. */
  readonly flags: string;
  readonly description: string;
  /** Turns the text into what `run` gets. Throws an InputError for one that cannot be meant. */
  readonly parse?: (text: string) => unknown;
  /** Whether the verb cannot be given without it. */
  readonly isRequired?: boolean;
  /** Whether it may be given several times: `run` gets an array. */
  readonly isList?: boolean;
}

/** What was typed after a verb: operands in their order, options by their camelCase name. */
export interface Given {
  readonly parameters: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A verb of the command line, as data: help and documentation are made from it too. */
export interface Verb {
  /** As it is typed after `stint`: `stop`, `worker show`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** Paragraphs for `--help` and the documentation. */
  readonly details?: string;
  /** Operands in commander's form: `<id>`, `[ids...]`, `[command...]`. */
  readonly parameters?: string;
  readonly options?: readonly VerbOption[];
  /** At least one, without the prompt. */
  readonly examples: readonly string[];
  /** Whether it is left out of the list of verbs: others of Stint's programs call it. */
  readonly isHidden?: boolean;
  /**
   * Whether it also makes sense as a worker, who has a token and no fleet to open; default false:
   * then the frame refuses it (`not_authorised`) where `STINT_WORKER_TOKEN_FILE` is set.
   */
  readonly isForWorkers?: boolean;
  /** Carries it out. Throws `Refused`, InputError and `Fault`, which the frame reports. */
  run(call: Call, given: Given): Promise<Said>;
}

/** What a file of verbs exports. */
export interface VerbFile {
  readonly VERBS: readonly Verb[];
}
