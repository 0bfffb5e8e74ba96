import type { JsonObject } from "../kernel/json.ts";
import type { Fleet } from "../library/fleet/fleet.ts";
import type { Reading } from "../library/reading.ts";
import { Refused } from "../library/refused.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import type { Call, CallFleetOptions } from "./call.ts";
import { demandPlaces, otherFleetsNote, type Place } from "./place.ts";
import { notAsWorker } from "./as-worker.ts";
import type { Terminal } from "./terminal.ts";
import { wantsColour } from "./text/colour.ts";

/** What a call is made of. */
export interface ProcessCallOptions {
  readonly terminal: Terminal;
  readonly verb: string;
  readonly isJson: boolean;
  readonly fleet: string | undefined;
  readonly signal: AbortSignal;
  readonly force: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A call of this very process; {@link close} it when the verb has ended. */
export class ProcessCall implements Call {
  readonly isJson: boolean;
  readonly isTerminal: boolean;
  readonly isColour: boolean;
  readonly isOutTerminal: boolean;
  readonly columns: number;
  readonly signal: AbortSignal;
  readonly force: AbortSignal;
  readonly workerTokenFile: string | undefined;
  readonly fleetDir: string | undefined;
  /** Whether objects were streamed: the answer is one more of them then. */
  hasStreamed = false;
  readonly #so: ProcessCallOptions;
  readonly #opened: Fleet[] = [];
  #hasNotedOthers = false;

  constructor(options: ProcessCallOptions) {
    const { terminal, env } = options;
    this.#so = options;
    this.isJson = options.isJson;
    this.isTerminal = terminal.canAsk && !options.isJson;
    this.isColour = !options.isJson && wantsColour(terminal.isOutTerminal, env);
    this.isOutTerminal = terminal.isOutTerminal;
    this.columns = terminal.columns;
    this.signal = options.signal;
    this.force = options.force;
    this.workerTokenFile = tokenFileOf(env);
    this.fleetDir = options.fleet;
  }

  async place(): Promise<Place> {
    this.#mustBeOperator();
    const places = demandPlaces(this.#so.fleet, process.cwd());
    const others = otherFleetsNote(places);
    if (others !== undefined && !this.#hasNotedOthers) this.note(others);
    this.#hasNotedOthers = true;
    return places[0];
  }

  async openFleet(options: CallFleetOptions = {}): Promise<Fleet> {
    const { stateDir } = await this.place();
    const { openFleetForCli: openFleet, sqlite } = await import("../compose/library.ts");
    try {
      const fleet = await openFleet({ store: sqlite({ dir: stateDir }), ...options });
      this.#opened.push(fleet);
      return fleet;
    } catch (error) {
      // No contract is given here, so that the library does not know what to begin a fleet with.
      if (error instanceof InputError) await this.read();
      throw error;
    }
  }

  async read(): Promise<Reading> {
    const { stateDir } = await this.place();
    const { readFleet } = await import("../compose/reading.ts");
    const reading = await readFleet(stateDir);
    if (reading.state.fleet === null) throw noFleetYet();
    return reading;
  }

  async confirm(question: string, isYes: boolean, word?: string): Promise<void> {
    if (isYes) return;
    if (!this.isTerminal) {
      const expected = "given, for nobody can be asked here";
      throw new InputError("usage", [{ path: "--yes", expected, got: "nothing" }]);
    }
    const hint = word === undefined ? "[y/N]" : `(type ${word})`;
    const answer = await this.#so.terminal.ask(`${question} ${hint} `, this.signal);
    const isAgreed = word === undefined ? /^y(es)?$/i.test(answer) : answer === word;
    if (isAgreed) return;
    const expected = `${word ?? "yes"} (nothing was done)`;
    throw new InputError("usage", [{ path: "answer", expected, got: describeValue(answer) }]);
  }

  line(object: JsonObject): void {
    if (!this.isJson) return;
    this.hasStreamed = true;
    this.#so.terminal.out(`${JSON.stringify(object)}\n`);
  }

  print(text: string): void {
    if (!this.isJson) this.#so.terminal.out(`${text}\n`);
  }

  note(text: string): void {
    if (!this.isJson) this.#so.terminal.note(`${text}\n`);
  }

  /** Closes what the verb has opened. */
  async close(): Promise<void> {
    for (const fleet of this.#opened.splice(0)) await fleet.close();
  }

  #mustBeOperator(): void {
    if (this.workerTokenFile !== undefined) throw notAsWorker(this.#so.verb);
  }
}

/** The refusal of every verb but `init` where a fleet was about to be begun, and was not. */
function noFleetYet(): Refused {
  const message = "the journal must hold a fleet, it is empty: `stint init` begins one";
  return new Refused({ code: "fleet_unknown", message, facts: {} });
}

function tokenFileOf(env: ProcessCallOptions["env"]): string | undefined {
  const file = env["STINT_WORKER_TOKEN_FILE"];
  // Set and empty is not the same as unset: whoever runs there is no operator.
  return file;
}
