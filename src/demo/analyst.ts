/*
 * A worker that analyses a part of a repository. It keeps a share for itself, replicates into
 * children for the rest, and hands its findings back by checkpoint. What is refused to it, it does
 * itself: a refused replication harms nobody. It then stays until it is stopped.
 *
 * The root, which nobody is above, also starts those that misbehave, and at the end asks for hands
 * until the fleet is full.
 */
import { setTimeout as after } from "node:timers/promises";
import type { JsonObject } from "../kernel/json.ts";
import { joinFleet, type WorkerHandle } from "../worker.ts";
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

/** What came of asking for a child. */
type Answer = { readonly child: WorkerHandle } | { readonly refusedBy: string };

/** A part that this worker answers for: by a child, or by itself. */
interface Share {
  readonly part: Part;
  readonly child: WorkerHandle | undefined;
}

class Analyst {
  readonly #worker: WorkerHandle;
  readonly #task: AnalystTask;
  readonly #mark: string;

  constructor(worker: WorkerHandle, mark: string) {
    this.#worker = worker;
    this.#mark = mark;
    // The manifest's state is what whoever started this worker wrote: an AnalystTask.
    this.#task = worker.manifest.state as unknown as AnalystTask;
  }

  async work(): Promise<void> {
    const { root, digest, git, except, part } = this.#task;
    const listing = await listTree(root, { git, except });
    if (listing.digest !== digest)
      throw new Error(`the files of ${root} must be the same for all who analyse them`);
    const isRoot = this.#worker.depth === 0;
    const [own = part, ...others] = divide(part, this.#task.fan_out[this.#worker.depth] ?? 1);
    const vendored = isRoot ? [await this.#offerVendored(listing)] : [];
    // First, for it takes longest to be found out.
    if (isRoot) await this.#replicate("sleeper");
    const shares = [...vendored, ...(await this.#delegate(others))];
    const misbehaving = isRoot ? this.#startTroublemakers() : Promise.resolve();
    let findings = await analyse(root, listing, own);
    for (const share of shares) findings = merge(findings, await this.#collect(listing, share));
    const result: AnalystResult = { findings };
    await this.#worker.checkpoint({ ...this.#task, result } as unknown as JsonObject);
    await misbehaving;
    if (isRoot) await this.#fillUp();
    if (this.#worker.depth === this.#task.fan_out.length) await this.#replicateTooDeep();
    await untilAborted(this.#worker.signal);
  }

  /** The first two are asked for at once: a cooldown lets only one of them pass. */
  async #delegate(parts: readonly Part[]): Promise<Share[]> {
    const pair = await Promise.all(parts.slice(0, 2).map((part) => this.#share(part)));
    const rest: Share[] = [];
    for (const part of parts.slice(2)) rest.push(await this.#share(part));
    return [...pair, ...rest];
  }

  async #share(part: Part, kind: AnalystTask["kind"] = "own"): Promise<Share> {
    const answer = await this.#replicate("analyst", { ...this.#task, part, kind });
    return { part, child: "child" in answer ? answer.child : undefined };
  }

  /** Code of others is offered, too; a stop condition of the contract keeps it here. */
  #offerVendored(listing: Listing): Promise<Share> {
    return this.#share({ from: listing.vendoredFrom, to: listing.paths.length }, "vendored");
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

  async #startTroublemakers(): Promise<void> {
    for (const role of ["dozer", "ticker", "wanderer", "mayfly"] as const)
      await this.#replicate(role);
  }

  /** Asks for hands until there is no place left; two at once, for the cooldown's sake. */
  async #fillUp(): Promise<void> {
    for (let asked = 0; asked < HANDS_MAX; asked += 2) {
      const answers = await Promise.all([this.#replicate("idler"), this.#replicate("idler")]);
      if (answers.some((answer) => "refusedBy" in answer && answer.refusedBy === "max_replicas"))
        return;
    }
  }

  /** The last generation asks for one more; in a full fleet it is refused for that, and waits. */
  async #replicateTooDeep(): Promise<void> {
    const state = { ...this.#task, part: { from: 0, to: 0 } };
    await this.#replicate("analyst", state, [...PASSING, "max_replicas"]);
  }

  /** Asks until it is answered with another no than it is patient with. */
  async #replicate(
    role: Role,
    state?: AnalystTask,
    patientWith: readonly string[] = PASSING,
  ): Promise<Answer> {
    const depth = this.#worker.depth + 1;
    let refusedBy = "nobody";
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const answer = await this.#worker.maybeReplicate({
        name: role === "analyst" ? `analyst-${depth}` : role,
        reason: state === undefined ? "to be seen" : reasonFor(state),
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
