import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { Fault } from "../../ports/fault.ts";
import type { Head } from "../../ports/journal.ts";
import type { Signer } from "../../ports/signer.ts";
import type { CommandOrder } from "../../ports/supervision.ts";
import type { Answer, Loop, SubmitOptions } from "../../runtime/loop.ts";
import { deepFreeze } from "../../runtime/canonical.ts";
import type { SupervisorLink } from "./link.ts";

/** How a handle uses the supervisor of its fleet. */
export interface Relay {
  readonly link: SupervisorLink;
  /** Whether verdicts on admissions are taken by functions of this process now, and only here. */
  readonly hasFunctions: () => boolean;
}

/** What a relay works with. */
export interface RelayOptions extends Relay {
  /** The loop of this process on the journal itself. */
  readonly direct: Loop;
  /** Makes a fresh command id. */
  readonly nextId: () => string;
}

/** Commands about the journal's own time and end: whoever gives them asks the journal itself. */
const DIRECT: ReadonlySet<string> = new Set(["clock.tick", "clock.accept", "fleet.recover"]);

/** Commands that function conditions are asked about. */
const ASKED: ReadonlySet<string> = new Set(["worker.admit", "worker.register"]);

/**
 * A loop whose commands are carried by the supervisor when one runs, and by itself else:
 *
 *     1. the command gets its id here, before anybody is asked
 *     2. supervisor: decides, appends, answers ──▶ 4
 *     3. it died, hangs or fails: the loop of this process carries the same id; what the supervisor
 *        had appended by then, or appends at the same time, is found by that id, so that there is
 *        one decision in any case
 *     4. this process catches up before the answer is given: its state includes it
 *
 * It reads from the journal itself, always.
 */
export class RelayLoop implements Loop {
  readonly #so: RelayOptions;
  readonly #relayed = new Set<Promise<unknown>>();
  /** Fires when it is closed: nobody waits for a turn any more. */
  readonly #over = new AbortController();
  #isClosed = false;

  constructor(options: RelayOptions) {
    this.#so = options;
  }

  async submit(command: Command, by: Actor, options: SubmitOptions = {}): Promise<Answer> {
    const { direct, nextId } = this.#so;
    if (this.#isClosed || !this.#isForSupervisor(command, options))
      return direct.submit(command, by, options);
    const id = options.id ?? nextId();
    const { token, turnMs } = options;
    const order: CommandOrder = {
      id,
      command,
      by,
      ...(token === undefined ? {} : { token }),
      ...(turnMs === undefined ? {} : { turn_ms: turnMs }),
    };
    const relayed = this.#relay(order, turnMs === undefined ? undefined : this.#over.signal);
    this.#relayed.add(relayed);
    try {
      const answer = await relayed;
      if (answer !== undefined) return answer;
    } finally {
      this.#relayed.delete(relayed);
    }
    return direct.submit(command, by, { ...options, id });
  }

  state(): State {
    return this.#so.direct.state();
  }

  head(): Head {
    return this.#so.direct.head();
  }

  timeMs(): number | undefined {
    return this.#so.direct.timeMs();
  }

  look(): Promise<State> {
    return this.#so.direct.look();
  }

  onEntry(listener: (entry: Entry) => void): () => void {
    return this.#so.direct.onEntry(listener);
  }

  useSigner(signer: Signer): void {
    this.#so.direct.useSigner(signer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#over.abort(new Fault("closed", "the loop must be open, it closed"));
    await Promise.allSettled(this.#relayed);
    await this.#so.link.close();
    await this.#so.direct.close();
  }

  #isForSupervisor({ kind }: Command, { id }: SubmitOptions): boolean {
    if (DIRECT.has(kind)) return false;
    // The loop itself refuses an id that is none.
    if (id !== undefined && (id === "" || id.length > LIMITS.commandIdCharsMax)) return false;
    return !(ASKED.has(kind) && this.#so.hasFunctions());
  }

  async #relay(order: CommandOrder, signal?: AbortSignal): Promise<Answer | undefined> {
    const { direct, link } = this.#so;
    const answer = await link.submit(order, signal);
    if (answer === undefined) return undefined;
    await direct.look();
    const { seq } = direct.head();
    if (seq >= answer.seq) return deepFreeze(answer);
    const message = `the journal must reach entry ${answer.seq}, which the supervisor answered`;
    throw new Fault("journal_forked", `${message}, it ends at entry ${seq}: it is another one`);
  }
}
