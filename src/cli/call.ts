import type { JsonObject } from "../kernel/json.ts";
import type { Fleet } from "../library/fleet/fleet.ts";
import type { Reading } from "../library/reading.ts";
import type { Place } from "./place.ts";

/** What a verb has to say at its end. */
export interface Said {
  /** For programs: `data` of the answer, snake_case with units. */
  readonly data: JsonObject;
  /** For people: printed with a newline unless it is empty. */
  readonly text: string;
  /** The newest entry that the answer is about. */
  readonly seq?: number;
  /** The exit code, where it is not 0. */
  readonly exit?: number;
}

/** How a verb opens the fleet: as the library does, and whether a supervisor is used or started. */
export interface CallFleetOptions {
  readonly supervisor?: "use" | "start" | "none";
  /** Whether the handle looks after time and left processes itself; default: as the library. */
  readonly steward?: boolean;
}

/** One call of the command line, as its verb sees the world. */
export interface Call {
  /** Whether a program reads the answer: one JSON object on stdout, or one a line. */
  readonly isJson: boolean;
  /** Whether a person can be asked: stdin and stderr are terminals. */
  readonly isTerminal: boolean;
  /** Whether stdout shows colour. */
  readonly isColour: boolean;
  /** Whether stdout is a terminal. */
  readonly isOutTerminal: boolean;
  /** The width of the terminal on stdout, characters; 80 where there is none. */
  readonly columns: number;
  /** Fires on Ctrl-C, SIGTERM, and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  /** Fires on the second Ctrl-C or SIGTERM; the third ends this process. */
  readonly force: AbortSignal;
  /** The file with this worker's token; undefined when this is the operator. */
  readonly workerTokenFile: string | undefined;
  /** The folder that `--fleet` names, as it was typed; there need not be a fleet in it. */
  readonly fleetDir: string | undefined;

  /**
   * The fleet that is meant: by `--fleet`, or by walking up from the current folder. Throws an
   * InputError that names the next command when there is none.
   */
  place(): Promise<Place>;
  /** Opens that fleet; the frame closes it. Throws `Refused` `not_authorised` as a worker. */
  openFleet(options?: CallFleetOptions): Promise<Fleet>;
  /** Reads that fleet as it is now, the fast way: nothing can be done with it. */
  read(): Promise<Reading>;
  /**
   * Has a person agree before something that cannot be undone. Without a terminal, and under
   * `--json`, `--yes` must have been given. `word`: what is to be typed; default `y` or `yes`.
   * Throws an InputError (exit 2) when it is not agreed to.
   */
  confirm(question: string, isYes: boolean, word?: string): Promise<void>;
  /** Streams an object under `--json`: one a line, with its `kind`. */
  line(object: JsonObject): void;
  /** Prints for people on stdout, at once; nothing under `--json`. */
  print(text: string): void;
  /** Tells a person on stderr of progress or the next step; nothing under `--json`. */
  note(text: string): void;
}
