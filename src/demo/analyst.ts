/*
 * A worker that analyses a part of a repository. It keeps a share for itself, replicates into
 * children for the rest, and hands its findings back by checkpoint. What is refused to it, it does
 * itself: a refused replication harms nobody. Some then edit a file of the scratch clone. It stays
 * until it is stopped.
 *
 * The root, which nobody is above, also starts those that misbehave, and at the end asks for hands
 * until the fleet is full.
 */
import { setTimeout as after } from "node:timers/promises";
import type { JsonObject } from "../kernel/json.ts";
import { joinFleet, type JoinedWorker, type WorkerHandle } from "../worker.ts";
import { Editor } from "./scratch/editor.ts";
import { analyse, divide, merge, type Findings, type Part } from "./tree/analysis.ts";
import { listTree, type Listing } from "./tree/listing.ts";
import { commandFor, type AnalystResult, type AnalystTask, type Role } from "./task.ts";
import { untilAborted } from "./waiting.ts";

/** How often a child's record is looked at, ms. */
const LOOK_EVERY_MS = 150;

/** How often a replication is asked for again that would be granted later. */
const ATTEMPTS_MAX = 60;
const ATTEMPT_EVERY_MS = 1_000;

/** Refusals that pass by themselves: its last admission was just now, or its own beats are late. */
const PASSING: readonly string[] = ["cooldown", "parent_stale"];

/** How many hands the root asks for at most; the fleet is full before. */
const HANDS_MAX = 40;

/** Why the root starts those that misbehave: what each of them is there to show. */
const TROUBLE = {
  sleeper: "hangs, to be found out by its silence",
  dozer: "misses beats, to be stale and recover",
  ticker: "writes without a pause, to be frozen",
  wanderer: "has descendants that run off, to be caught",
  mayfly: "dies without a word, to be reaped",
  idler: "takes a place, until there is none",
} as const;

/** A child that is asked for. */
interface Wish {
  readonly role: Role;
  /** Unlike that of any other worker; default: the role. */
  readonly name?: string;
  readonly reason: string;
  readonly state?: AnalystTask;
  /** Refusals after which it is asked for again. */
  readonly patientWith?: readonly string[];
}

/** What came of asking for a child. */
type Answer = { readonly child: WorkerHandle } | { readonly refusedBy: string };

/** A part that this worker answers for: by a child, or by itself. */
interface Share {
  readonly part: Part;
  readonly child: WorkerHandle | undefined;
}

class Analyst {
  readonly #worker: JoinedWorker;
  readonly #task: AnalystTask;
  readonly #mark: string;

  constructor(worker: JoinedWorker, mark: string) {
    this.#worker = worker;
    this.#mark = mark;
    // The manifest's state is what whoever started this worker wrote: an AnalystTask.
    this.#task = worker.manifest.state as unknown as AnalystTask;
  }

  async work(): Promise<void> {
    const { root, digest, git, except, part } = this.#task;
    const listing = await listTree(root, { git, except });
    if (listing.digest !== digest)
      throw new Error(
        `the tree changed while it was analysed: ${root} has other files than before`,
      );
    const isRoot = this.#worker.depth === 0;
    const [own = part, ...others] = divide(part, this.#task.fan_out[this.#worker.depth] ?? 1);
    const vendored = isRoot ? [await this.#offerVendored(listing)] : [];
    // First, for it takes longest to be found out.
    if (isRoot) await this.#startTroublemakers("sleeper");
    const shares = [...vendored, ...(await this.#delegate(others))];
    const misbehaving = isRoot
      ? this.#startTroublemakers("dozer", "ticker", "wanderer", "mayfly")
      : Promise.resolve();
    let findings = await analyse(root, listing, own);
    for (const share of shares) findings = merge(findings, await this.#collect(listing, share));
    const result: AnalystResult = { findings };
    await this.#worker.checkpoint({ ...this.#task, result } as unknown as JsonObject);
    await misbehaving;
    const { scratch } = this.#task;
    if (this.#worker.manifest.name in scratch.files) await new Editor(this.#worker, scratch).edit();
    if (isRoot) await this.#fillUp(result);
    if (this.#worker.depth === this.#task.fan_out.length) await this.#replicateTooDeep();
    await untilAborted(this.#worker.signal);
  }

  /** The first two are asked for at once: a cooldown lets only one of them pass. */
  async #delegate(parts: readonly Part[]): Promise<Share[]> {
    const named = parts.map((part, index) => ({ part, name: this.#childName(index + 1) }));
    const pair = await Promise.all(named.slice(0, 2).map((share) => this.#share(share)));
    const rest: Share[] = [];
    for (const share of named.slice(2)) rest.push(await this.#share(share));
    return [...pair, ...rest];
  }

  async #share({
    part,
    name,
    kind = "own",
  }: {
    readonly part: Part;
    readonly name: string;
    readonly kind?: AnalystTask["kind"];
  }): Promise<Share> {
    const state = { ...this.#task, part, kind };
    const answer = await this.#replicate({
      role: "analyst",
      name,
      reason: reasonFor(state),
      state,
    });
    return { part, child: "child" in answer ? answer.child : undefined };
  }

  /** The root's first is `analyst-1`, and the first of that one's own is `analyst-1-1`. */
  #childName(ending: number | string): string {
    const { depth, manifest } = this.#worker;
    return `${depth === 0 ? "analyst" : manifest.name}-${ending}`;
  }

  /** Code of others is offered, too; a stop condition of the contract keeps it here. */
  #offerVendored(listing: Listing): Promise<Share> {
    const part = { from: listing.vendoredFrom, to: listing.paths.length };
    return this.#share({ part, name: this.#childName("vendored"), kind: "vendored" });
  }

  /** A child's findings; those of one that ended without any are found here. */
  async #collect(listing: Listing, { part, child }: Share): Promise<Findings> {
    for (;;) {
      const view = await child?.view();
      const result = view?.state["result"] as unknown as AnalystResult | undefined;
      if (result !== undefined) return result.findings;
      if (child === undefined || view === undefined || view.end !== null)
        return analyse(this.#task.root, listing, part);
      await after(LOOK_EVERY_MS, undefined, { signal: this.#worker.signal });
    }
  }

  async #startTroublemakers(...roles: readonly (keyof typeof TROUBLE)[]): Promise<void> {
    for (const role of roles) await this.#replicate({ role, reason: TROUBLE[role] });
  }

  /** Asks for hands until there is no place left; two at once, for the cooldown's sake. */
  async #fillUp(result: AnalystResult): Promise<void> {
    for (let asked = 0; asked < HANDS_MAX; asked += 2) {
      const wishes = [asked + 1, asked + 2].map((number) => ({
        role: "idler" as const,
        name: `idler-${number}`,
        reason: TROUBLE.idler,
      }));
      const answers = await Promise.all(wishes.map((wish) => this.#replicate(wish)));
      if (answers.some((answer) => "refusedBy" in answer && answer.refusedBy === "max_replicas"))
        break;
    }
    // From here on nobody asks for anybody: who lives can be counted.
    const state = { ...this.#task, result, is_full: true };
    await this.#worker.checkpoint(state as unknown as JsonObject);
  }

  /** The last generation asks for one more; in a full fleet it is refused for that, and waits. */
  async #replicateTooDeep(): Promise<void> {
    await this.#replicate({
      role: "analyst",
      name: this.#childName(1),
      reason: "one generation more than there may be",
      state: { ...this.#task, part: { from: 0, to: 0 } },
      patientWith: [...PASSING, "max_replicas"],
    });
  }

  /** Asks until it is answered with another no than it is patient with. */
  async #replicate(wish: Wish): Promise<Answer> {
    const { role, name = role, reason, state, patientWith = PASSING } = wish;
    let refusedBy = "nobody";
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const answer = await this.#worker.maybeReplicate({
        name,
        reason,
        state: (state ?? { role }) as unknown as JsonObject,
        run: commandFor(role, this.#mark),
      });
      if (answer.ok) return { child: answer.worker };
      const { code, facts } = answer.refusal;
      refusedBy = code;
      if (!patientWith.includes(code)) break;
      const asked = facts["retryAfterMs"];
      const waitMs = typeof asked === "number" ? asked : ATTEMPT_EVERY_MS;
      await after(waitMs, undefined, { signal: this.#worker.signal });
    }
    return { refusedBy };
  }
}

function reasonFor({ part: { from, to }, kind }: AnalystTask): string {
  return `${kind === "own" ? "files" : "vendored files"} ${from} to ${to}`;
}

const worker = await joinFleet();
try {
  await new Analyst(worker, process.argv[2] ?? "").work();
  await worker.leave("completed");
} catch (error) {
  // Being told to stop in the middle of a wait is the ordinary end here; all else is a failure,
  // recorded with its words for whoever waits for the findings.
  if (worker.signal.aborted) await worker.leave("completed");
  else await fail(error);
}

async function fail(error: unknown): Promise<void> {
  const why = error instanceof Error ? error.message : String(error);
  await worker.checkpoint({ ...worker.state, error: why });
  process.exitCode = 1;
  await worker.leave("failed");
}
