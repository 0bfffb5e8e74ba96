// One hostile program on one rung: started, let try what it tries, ended, looked for.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import { type Arena, WITHIN_MS } from "./arena.ts";
import { type HostileCase, isTold } from "./cases.ts";
import { NOBODY, type Survivors, type Traces } from "./traces.ts";

/** How often a launcher is tried to be stopped before it has become its program. */
const CATCHES_MAX = 50;

/** How long what was swept may take to be gone, ms. */
const SWEPT_WITHIN_MS = 1_000;

/** What came of a trial. */
export interface Seen {
  /** As {@link HostileCase} declares it; anything else says what went wrong. */
  readonly verdict: string;
  /** What it got through with, what survived and what was harmed: why it is not `held`. */
  readonly reasons: readonly string[];
  /** What each count found when it had tried all, and when it was to have ended. */
  readonly before: Survivors;
  readonly after: Survivors;
  /** The limits that it is on record to have hit. */
  readonly limits: readonly unknown[];
  /** How its end is known, by the journal. */
  readonly grade: string | undefined;
}

/** Lets a hostile program loose in an arena, and ends it. */
export async function tryIn(arena: Arena, one: HostileCase): Promise<Seen> {
  await arena.revive();
  const [things, entries] = [await arena.things(), await arena.rig.entries()];
  const trial = new Trial(arena, one);
  const refused = await trial.start();
  if (refused !== undefined) return refused;
  const before = await trial.letTry();
  const grade = await trial.end();
  const after = await trial.leftovers();
  const harmed = await harmOf(arena, things);
  // The journal goes on from what it was, and every entry of it can be vouched for.
  const later = await arena.rig.entries();
  const isSame = JSON.stringify(later.slice(0, entries.length)) === JSON.stringify(entries);
  const { problems } = await arena.rig.fleet.audit();
  const broken = [...(isSame ? [] : ["harmed: the journal"]), ...problems];
  const through = trial.traces.lines.filter((line) => line.startsWith("through "));
  const left = Object.entries(after).filter(([, count]) => count > 0);
  const survived = left.map(([way, count]) => `survived: ${way} ${count}`);
  const reasons = [...through, ...survived, ...harmed, ...broken];
  const limits = (await arena.rig.entriesAbout(trial.id, "worker.limit_hit")).map(
    ({ data }) => Reflect.get(data, "limit") as unknown,
  );
  const verdict = reasons.length === 0 ? "held" : await trial.excuse();
  return { verdict, reasons, before, after, limits, grade };
}

/** Lets programs loose side by side and kills the fleet; what is left of each when that is done. */
export async function killAll(
  arena: Arena,
  cases: readonly HostileCase[],
): Promise<readonly Survivors[]> {
  const trials = cases.map((one) => new Trial(arena, one));
  for (const trial of trials) {
    demand((await trial.start()) === undefined, "it must be started");
    await trial.letTry();
  }
  await arena.rig.fleet.kill({ reason: "a test" });
  for (const trial of trials) {
    const { evidence } = await arena.rig.end(trial.id);
    demand(evidence?.grade === arena.rung.grade, `its end must be ${arena.rung.grade}`);
  }
  return Promise.all(trials.map((trial) => trial.leftovers()));
}

/** What has changed of what was to stay as it is. */
async function harmOf(
  arena: Arena,
  before: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const now = await arena.things().catch((error: unknown) => ({ unreadable: String(error) }));
  const changed = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  return changed.map(([name, value]) => `harmed: ${name}, now ${JSON.stringify(value)}`);
}

/** A hostile program that is to be started: what is known of it. */
interface Begun {
  readonly traces: Traces;
  readonly order: ReturnType<Arena["rig"]["order"]>;
}

class Trial {
  readonly #arena: Arena;
  readonly #case: HostileCase;
  #begun: Begun;
  #lease = "";

  constructor(arena: Arena, one: HostileCase) {
    [this.#arena, this.#case] = [arena, one];
    this.#begun = this.#begin();
  }

  get traces(): Traces {
    return this.#begun.traces;
  }

  get id(): string {
    return this.#begun.order.admission.instance;
  }

  /** Starts it; what was seen of it when it was refused. */
  async start(): Promise<Seen | undefined> {
    const { rig } = this.#arena;
    if (this.#case.ends === "late") return undefined;
    const reply = await rig.operator("/v1/workers", this.#begun.order).catch(async () => {
      // Whom it killed has not answered any more.
      await until("a supervisor must answer while it lives", this.#isAlone);
    });
    if (reply === undefined || reply.body.ok) return undefined;
    const { body } = reply;
    const facts: { readonly degraded?: string } | undefined = body.refusal?.facts;
    const [code, word] = [body.refusal?.code ?? body.error?.code, facts?.degraded];
    // On record, and nothing of it has run.
    const refusals = (await rig.entries()).filter(({ kind }) => kind === "command.refused");
    const recorded = refusals.some(({ data }) => isRefusal(data, code, word));
    const after = this.traces.count();
    const reasons = [`${code}: ${body.refusal?.message ?? body.error?.message}`];
    const verdict =
      code === "containment_too_weak" && recorded ? `refused ${word}` : `not started: ${code}`;
    return { verdict, reasons, before: NOBODY, after, limits: [], grade: undefined };
  }

  /** Waits until it has tried what it tries; what the counts find then. */
  async letTry(): Promise<Survivors> {
    const { ends } = this.#case;
    if (ends === "late") return NOBODY;
    if (ends === "revoked") this.#lease = await this.#arena.lend(this.id, "lent/**");
    demand(await this.traces.says("ready", WITHIN_MS), "it must say that it is ready");
    if (this.traces.lines.includes("through kills the supervisor"))
      await until("a supervisor that is killed must end", this.#isAlone);
    this.traces.meet();
    const before = this.traces.count();
    const hasTold = async (): Promise<boolean> =>
      (await this.#arena.rig.entriesAbout(this.id, "worker.limit_hit")).length > 0;
    const { rung, host } = this.#arena;
    if (isTold(this.#case, rung, host) && !this.#isThrough)
      await until("it must be on record at its limit", hasTold);
    return before;
  }

  /** Ends it; answers how that is known. */
  async end(): Promise<string | undefined> {
    const { rig } = this.#arena;
    const { ends = "stop" } = this.#case;
    if (ends === "late") await this.#endEarly();
    if (ends === "revoked") await this.#revoke();
    // Without a supervisor there is nobody to end it but the next.
    if (!this.#arena.isServed()) await this.#arena.revive();
    else if (ends === "stop") await this.#stop(0);
    else if (ends === "grace") await this.#stop(200);
    const end = await rig.end(this.id);
    return end.evidence?.grade;
  }

  /**
   * What is left of it now that its end is on record: where that is proven nothing may be, at once;
   * what was only swept may be on its way out of the kernel for a moment.
   */
  async leftovers(): Promise<Survivors> {
    const untilMs = performance.now() + (this.#arena.rung.grade === "swept" ? SWEPT_WITHIN_MS : 0);
    for (;;) {
      const found = this.traces.count();
      const isAny = Object.values(found).some((count: number) => count > 0);
      if (!isAny || performance.now() >= untilMs) return found;
      await pause(20);
    }
  }

  /** What a worker that got through is excused by: a word that was in force and on record. */
  async excuse(): Promise<string> {
    const { rung, rig } = this.#arena;
    const admitted = (await rig.entries()).find(
      ({ kind, data }) =>
        kind === "worker.admitted" && JSON.stringify(data).includes(`"${this.id}"`),
    );
    const words = Reflect.get(admitted?.data ?? {}, "degraded") as readonly string[];
    const word = words.find((one) => (rung.allowed as readonly string[]).includes(one));
    return word === undefined ? "got through, and nothing says so" : `degraded ${word}`;
  }

  readonly #isAlone = async (): Promise<boolean> => !this.#arena.isServed();

  get #isThrough(): boolean {
    return this.traces.lines.some((line) => line.startsWith("through "));
  }

  async #stop(graceMs: number): Promise<void> {
    const data = { worker: this.id, reason: "requested", tree: false, grace_ms: graceMs };
    const { body } = await this.#arena.rig.command("worker.stop", data);
    // What has ended by itself needs no stop.
    const isOver = body.ok || body.refusal?.code === "worker_ended";
    demand(isOver, `it must be stopped, the answer was ${JSON.stringify(body)}`);
  }

  /** Revokes its lease, and waits until another has the ground; nothing is written there then. */
  async #revoke(): Promise<void> {
    const { rig, sibling } = this.#arena;
    await rig.command("lease.revoke", { lease: this.#lease, reason: "a test" });
    const log = join(rig.folder, "lent/log");
    demand(readFileSync(log, "utf8") !== "", "it must have written before its lease ended");
    const ask = async (): Promise<boolean> =>
      (await this.#arena.ask(sibling?.id ?? "", "lent/**")).ok;
    await until("another must be granted its ground", ask);
    const written = readFileSync(log, "utf8").length;
    const { reason } = await rig.end(this.id);
    demand(reason === "requested", `it must be ended by its supervisor, it was by ${reason}`);
    const later = readFileSync(log, "utf8").length;
    demand(later === written, "it must write nothing when another has its ground");
  }

  /** Stops its launcher before its turn, has the worker killed, and continues the launcher. */
  async #endEarly(): Promise<void> {
    const { rig } = this.#arena;
    for (let round = 0; round < CATCHES_MAX; round += 1) {
      if (round > 0) this.#begun = this.#begin();
      const answer = rig.operator("/v1/workers", this.#begun.order);
      const caught = await catchLauncher(rig.about.pid, this.traces.mark, answer);
      if (caught === undefined) await answer;
      await this.#stop(0);
      await rig.end(this.id);
      if (caught === undefined) continue;
      signal(caught, "SIGCONT");
      await answer;
      return;
    }
    throw new Error(`a launcher must be caught in ${CATCHES_MAX} starts, none was`);
  }

  #begin(): Begun {
    const { budget = {}, network = "open", name } = this.#case;
    const traces = this.#arena.traces(name);
    const run = this.#arena.command(this.#case, traces);
    return { traces, order: this.#arena.rig.order(run, { admission: { budget, network } }) };
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + WITHIN_MS;
  while (!(await holds())) {
    demand(performance.now() < untilMs, what);
    await pause(50);
  }
}

/** Whether an entry is the refusal that was answered. */
function isRefusal(data: object, code: string | undefined, word: string | undefined): boolean {
  const facts = Reflect.get(data, "facts") as { readonly degraded?: string };
  return Reflect.get(data, "code") === code && facts.degraded === word;
}

/** Stops the launcher of a marked worker; undefined when it became its program before that. */
async function catchLauncher(
  supervisor: number,
  mark: string,
  answer: Promise<unknown>,
): Promise<number | undefined> {
  const over = answer.then(
    () => true,
    () => true,
  );
  const known = new Set<string>();
  for (;;) {
    for (const pid of childrenOf(supervisor)) {
      if (known.has(pid) || !isLauncher(pid, mark)) continue;
      known.add(pid);
      signal(Number(pid), "SIGSTOP");
      if (isLauncher(pid, mark)) return Number(pid);
      signal(Number(pid), "SIGCONT");
    }
    if (await Promise.race([over, turn(false)])) return undefined;
  }
}

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
}

/** Whether a process is a launcher that has not become the program yet, nor what encloses it. */
function isLauncher(pid: string, mark: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return words.includes("stint_go") && words.includes(mark) && words.startsWith("/bin/sh");
  } catch {
    // It ended since it was listed.
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
