import type { Actor } from "../../src/kernel/actor.ts";
import type { Command } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { Fault } from "../../src/ports/fault.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { Answer } from "../../src/runtime/loop.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom, type SeededRandom } from "../../src/testing/seeded-random.ts";
import { checkAnswer, type Asked } from "../audit/answers.ts";
import { Auditor } from "../audit/auditor.ts";
import { writingProblems, type Question } from "../audit/lease/writing.ts";
import { checkLoopState } from "../audit/replay.ts";
import type { View } from "../commands/view.ts";
import { answerWith, rulesOf, type DeliberateFault } from "../deliberate-fault.ts";
import { Tally } from "../tally.ts";
import { Trace } from "../trace.ts";
import { compactBy, drawCompacting } from "./compacting.ts";
import { Connection } from "./connection.ts";
import { bugLog, type Process } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { Store } from "./store.ts";
import { drawTemper, type Temper } from "./temper.ts";
import { Waiting, type Ears, type Ticket } from "./waiting.ts";
import { Weather } from "./weather.ts";

/** What a world begins with. */
export interface WorldOptions {
  readonly seed: number;
  readonly fault: DeliberateFault | null;
  /** The keys of this world. */
  readonly signers: readonly Signer[];
}

/** A command that is submitted, and how. */
interface Submitted {
  readonly command: Command;
  readonly actor: Actor;
  /** The caller's own id; null: the loop gives one. */
  readonly id: string | null;
  /** How long it is held back until it may be its turn, ms. */
  readonly turnMs?: number;
}

/** How many gates may be opened before everything must have come to rest. */
const OPENINGS_MAX = 20_000;

/**
 * One simulated host with its clocks, its disk and its processes. It does what it is told, one
 * thing at a time; which thing, a seed decides.
 */
export class World {
  readonly random: SeededRandom;
  readonly clock = new FakeClock();
  readonly auditor = new Auditor();
  readonly tally = new Tally();
  readonly trace = new Trace();
  readonly scheduler = new Scheduler(this.clock);
  readonly weather: Weather;
  readonly store: Store;
  /** Commands under an id that were answered, or whose answer was lost. */
  readonly asked: Asked[] = [];
  readonly temper: Temper;
  /** How many submissions in a row met a clock that nobody believes. */
  skewCount = 0;
  readonly #so: WorldOptions;
  readonly #manifests = new Map<string, Manifest>();
  readonly #waiting = new Waiting();
  #processes: readonly Process[] = [];
  #startedCount = 0;
  #idCount = 0;
  #seenCount = 0;

  constructor(options: WorldOptions) {
    this.#so = options;
    this.random = seededRandom(options.seed);
    this.temper = drawTemper(this.random);
    this.weather = new Weather(this.random.fork("weather"), this.temper.mishapShare);
    const { fault } = options;
    this.store = new Store({ clock: this.clock, auditor: this.auditor, fault });
  }

  /** The fault that was put in on purpose; null for none. */
  get fault(): DeliberateFault | null {
    return this.#so.fault;
  }

  /** The keys of this world. */
  get signers(): readonly Signer[] {
    return this.#so.signers;
  }

  /** Processes that have the journal open. */
  get open(): readonly Process[] {
    return this.#processes.filter(({ status }) => status === "open");
  }

  /** Processes that are not dead. */
  get living(): readonly Process[] {
    return this.#processes;
  }

  /** Whether anything is wrong so far. */
  get isBroken(): boolean {
    return this.auditor.violations.length > 0;
  }

  /** Whether somebody waits for an answer, or for a journal to open or close. */
  get isWaiting(): boolean {
    return this.#waiting.count > 0 || this.#processes.some(({ status }) => status !== "open");
  }

  /** All of this world, as whoever makes up commands for a process sees it. */
  viewFrom({ signer }: Process): View {
    const { random, auditor } = this;
    const { signers } = this.#so;
    const { leaseShare } = this.temper;
    const known = { state: auditor.state, manifests: this.#manifests };
    return { random, ...known, signers, signer, leaseShare };
  }

  /** The fleet's own key once it is there; before, the first. */
  fleetSigner(): Signer {
    const { signers } = this.#so;
    const { key_id: keyId } = this.auditor.state.key;
    const signer = signers.find(({ key }) => key.key_id === keyId) ?? signers[0];
    if (signer === undefined) throw new Error("a world must have a key");
    return signer;
  }

  /** Starts a process: it opens the journal with a key, the fleet's own unless told otherwise. */
  start(signer: Signer = this.fleetSigner()): void {
    this.#startedCount += 1;
    const name = `p${this.#startedCount}`;
    const connection = new Connection({
      owner: name,
      store: this.store,
      scheduler: this.scheduler,
      weather: this.weather,
      clock: this.clock,
      isDeaf: this.#so.fault === "turn-goes-untold",
      onMishap: (mishap, owner) => {
        this.tally.count("mishaps", mishap);
        this.trace.note(`  ${owner} meets: ${mishap}`);
      },
    });
    const process: Process = { name, connection, signer, loop: undefined, status: "opening" };
    this.#processes = [...this.#processes, process];
    this.happen("start", name);
    void this.#open(process);
  }

  /** Kills a process: whatever it waits for is lost, whatever it wrote stays. */
  crash(process: Process): void {
    this.happen("crash", process.name);
    this.#bury(process);
  }

  /** Has a process leave in good order. */
  close(process: Process): void {
    this.happen("close", process.name);
    process.status = "closing";
    void process.loop?.close().then(
      () => this.#bury(process),
      (error: unknown) => this.#fail(process, error),
    );
  }

  /** Submits a command through a process; what is heard of it is checked, and then passed on. */
  submit(process: Process, so: Submitted, ears: Partial<Ears<Answer>> = {}): void {
    const { loop, status } = process;
    // It may have died while it compacted: nobody asks it any more.
    if (loop === undefined || status === "dead") return;
    const { command, actor, id, turnMs = 0 } = so;
    this.tally.count("commands", command.kind);
    const by = `${actor.kind} ${actor.id ?? ""}`.trimEnd();
    this.trace.note(`${process.name} asks ${command.kind} as ${by} ${id ?? ""}`.trimEnd());
    const asked: Asked = { id, command, actor };
    if (id !== null) this.asked.push(asked);
    const options = { turnMs, ...(id === null ? {} : { id }) };
    const ticket = { process, what: command.kind };
    this.#waiting.expect(ticket, loop.submit(command, actor, options), {
      hear: (answer) => {
        this.#hear(ticket, asked, answer);
        ears.hear?.(answer);
      },
      hearError: (error) => {
        this.#hearError(ticket, error);
        ears.hearError?.(error);
      },
    });
  }

  /** Submits a command, and answers what is heard of it: nothing, if the process dies before. */
  carry(process: Process, so: Submitted): Promise<Answer> {
    return new Promise((hear, hearError) => this.submit(process, so, { hear, hearError }));
  }

  /** Has a process look at the journal. */
  look(process: Process): void {
    const { loop } = process;
    if (loop === undefined) return;
    this.happen("look", process.name);
    const ticket = { process, what: "look" };
    this.#waiting.expect(ticket, loop.look(), {
      hear: () => undefined,
      hearError: (error) => this.#hearError(ticket, error),
    });
  }

  /** Has a process compact the journal; it may die of it. */
  compact(process: Process): void {
    const drawn = drawCompacting(this.random);
    this.happen("compaction", `${process.name} ${JSON.stringify(drawn)}`);
    const ticket = { process, what: "compact" };
    const nowMs = this.store.nowMs();
    const die = (): void => {
      this.happen("compaction cut off");
      this.crash(process);
    };
    this.#waiting.expect(ticket, compactBy(process, { ...drawn, nowMs, die }), {
      hear: (movedCount) => {
        this.trace.note(`${process.name} has moved ${movedCount} entries`);
        if (movedCount > 0) this.tally.count("happenings", "entries archived");
      },
      hearError: (error) => this.#hearError(ticket, error),
    });
  }

  /** Asks a process, of the state that it has, whether somebody may write a file. */
  ask(process: Process, question: Question): void {
    const state = process.loop?.state();
    if (state === undefined) return;
    const verdict = answerWith(this.#so.fault, state, question);
    this.tally.count("checks", verdict.reason);
    this.trace.note(`${process.name} says of ${question.file.path}: ${verdict.reason}`);
    for (const { rule, message } of writingProblems(state, question, verdict))
      this.auditor.report(rule, message);
  }

  /**
   * A backup is restored and the fleet recovered: every process dies, what was appended since an
   * entry is lost, and of its workers some are known by their manifests.
   */
  async lose(keptSeq: number): Promise<void> {
    for (const process of this.#processes) this.crash(process);
    const lostCount = this.auditor.state.seq - keptSeq;
    this.happen("loss", `${lostCount} after ${keptSeq}`);
    const workers = [...this.#manifests.values()].filter(() => this.random.chance(0.7));
    await this.store.lose(keptSeq, { id: this.freshId(), workers });
    this.tally.count("commands", "fleet.recover");
    this.#seenCount = this.auditor.entries.findIndex(({ kind, seq }) => {
      return kind === "fleet.recovered" && seq > keptSeq;
    });
    this.#noteEntries();
  }

  /** An id for a command that may have to be repeated. */
  freshId(): string {
    this.#idCount += 1;
    return `ask-${this.#idCount}`;
  }

  /** Opens one gate, if any is ready. */
  async openOne(): Promise<void> {
    if (!this.scheduler.wake()) return;
    const opened = await this.scheduler.openOne(this.random);
    this.trace.note(`  ${opened}`);
    this.#noteEntries();
  }

  /** Lets everything go on until nothing waits any more, time passing where only time helps. */
  async comeToRest(): Promise<void> {
    await this.scheduler.settle();
    for (let count = 0; count < OPENINGS_MAX; count += 1) {
      if (this.isBroken) return;
      if (this.scheduler.wake()) await this.openOne();
      else if (!this.isWaiting) return;
      else if (!this.#waitForTimer()) break;
    }
    const stuck = this.#waiting.describe() || "a process that opens or closes";
    this.auditor.report("SM5", `never answered: ${stuck}`);
  }

  /** Counts and notes something that happens to the world itself. */
  happen(what: string, about = ""): void {
    this.tally.count("happenings", what);
    this.trace.note(`${what} ${about}`.trimEnd());
  }

  async #open(process: Process): Promise<void> {
    const { name, connection, signer } = process;
    const isRestart = this.auditor.ledger.killedSeq !== null;
    try {
      process.loop = await openLoop({
        journal: connection,
        signer,
        random: this.random.fork(name),
        timers: this.scheduler.timersOf(name),
        signEveryEntries: this.temper.signEveryEntries,
        log: bugLog(
          (message) => this.auditor.report("SM5", `${name}: ${message}`),
          (text) => this.trace.note(`  ${name} warns: ${text}`),
        ),
        rules: rulesOf(this.#so.fault, isRestart),
      });
    } catch (error) {
      // What keeps a process from opening: the world, or a bug.
      this.#fail(process, error);
      return;
    }
    process.status = "open";
    checkLoopState(process.loop.state(), name, this.auditor);
  }

  #fail(process: Process, error: unknown): void {
    if (error instanceof Fault) {
      this.tally.count("faults", error.code);
      this.trace.note(`${process.name} gives up: ${error.code}`);
    } else this.auditor.report("SM5", `${process.name} broke: ${String(error)}`);
    this.#bury(process);
  }

  #bury(process: Process): void {
    process.status = "dead";
    process.connection.sever();
    this.#processes = this.#processes.filter((other) => other !== process);
    this.tally.count("answers", "lost", this.#waiting.drop(process));
  }

  #hear({ process, what }: Ticket, asked: Asked, answer: Answer): void {
    this.skewCount = 0;
    const said = answer.ok ? `granted (${answer.entries.length})` : answer.refusal.code;
    this.trace.note(`${process.name} hears of ${what}: ${said} at ${answer.seq}`);
    this.tally.count("answers", answer.ok ? "granted" : "refused");
    if (!answer.ok) this.tally.count("refusals", answer.refusal.code);
    checkAnswer(this.auditor, { ...asked, byMs: this.store.nowMs() }, answer);
  }

  #hearError({ process, what }: Ticket, error: unknown): void {
    if (!(error instanceof Fault)) {
      this.auditor.report("SM5", `${process.name} broke at ${what}: ${String(error)}`);
      return;
    }
    if (error.code === "clock_skew") this.skewCount += 1;
    this.trace.note(`${process.name} hears of ${what}: fault ${error.code}`);
    this.tally.count("answers", "fault");
    this.tally.count("faults", error.code);
  }

  #waitForTimer(): boolean {
    const waitMs = this.scheduler.nextTimerMs();
    if (waitMs === undefined) return false;
    this.clock.advance(Math.max(1, waitMs));
    return true;
  }

  #noteEntries(): void {
    const { entries } = this.auditor;
    for (const entry of entries.slice(this.#seenCount)) {
      this.tally.count("events", entry.kind);
      if (entry.kind === "worker.admitted")
        this.#manifests.set(entry.data.manifest.instance, entry.data.manifest);
      this.trace.note(`    #${entry.seq} ${entry.kind}${about(entry)} at ${entry.at_ms}`);
      this.trace.note(`    ${entry.hash}`);
    }
    this.#seenCount = entries.length;
  }
}

function about(entry: Entry): string {
  if (entry.kind === "worker.admitted") return ` ${entry.data.manifest.instance}`;
  if (entry.kind === "command.refused") return ` ${entry.data.code}`;
  return "worker" in entry.data ? ` ${entry.data.worker}` : "";
}
