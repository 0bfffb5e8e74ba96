/*
 * A worker that analyses a part of a repository. It keeps a share for itself, replicates into
 * children for the rest, and hands its findings back by checkpoint. What is refused to it, it does
 * itself: a refused replication harms nobody. It then stays until it is stopped, so that a fleet
 * that is full is full for everybody.
 */
import { setTimeout as after } from "node:timers/promises";
import type { JsonObject } from "../kernel/json.ts";
import { joinFleet, type WorkerHandle } from "../worker.ts";
import { analyse, divide, merge, type Findings, type Part } from "./analysis.ts";
import { listTree, type Listing } from "./listing.ts";
import { commandFor, type AnalystResult, type AnalystTask, type Role } from "./task.ts";

/** How often a child's record is looked at, ms. */
const LOOK_EVERY_MS = 100;

/** How often a replication that a cooldown or a full fleet refused is asked for again. */
const ATTEMPTS_MAX = 40;
const ATTEMPT_EVERY_MS = 1_000;

/** Refusals after which it is worth asking again. */
const PATIENT = ["cooldown", "max_replicas"];

/** A part that this worker answers for: by a child, or by itself. */
interface Share {
  readonly part: Part;
  readonly child: WorkerHandle | undefined;
}

class Analyst {
  readonly #worker: WorkerHandle;
  readonly #task: AnalystTask;
  readonly #mark: string;
  readonly #refusals: { code: string; message: string }[] = [];

  constructor(worker: WorkerHandle, mark: string) {
    this.#worker = worker;
    this.#mark = mark;
    // The manifest's state is what whoever started this worker wrote: an AnalystTask.
    this.#task = worker.manifest.state as unknown as AnalystTask;
  }

  async work(): Promise<void> {
    const listing = await listTree(this.#task.root);
    if (listing.digest !== this.#task.digest)
      throw new Error(`the files of ${this.#task.root} must not change while they are analysed`);
    const [own = this.#task.part, ...others] = divide(this.#task.part, this.#shareCount());
    // Offered first: in a full fleet it would be refused for being full.
    const shares = this.#worker.depth === 0 ? [await this.#offerVendored(listing)] : [];
    shares.push(...(await this.#delegate(others)));
    let findings = await analyse(this.#task.root, listing, own);
    for (const share of shares) findings = merge(findings, await this.#collect(listing, share));
    await this.#record(findings);
    if (this.#worker.depth === 0) await this.#startTroublemakers();
    if (this.#isLastGeneration()) await this.#askForOneMore();
    await untilAborted(this.#worker.signal);
  }

  #shareCount(): number {
    return this.#task.fan_out[this.#worker.depth] ?? 1;
  }

  /** The first two are asked for at once: a cooldown lets only one of them pass. */
  async #delegate(parts: readonly Part[]): Promise<Share[]> {
    const pair = await Promise.all(parts.slice(0, 2).map((part) => this.#share(part)));
    const rest: Share[] = [];
    for (const part of parts.slice(2)) rest.push(await this.#share(part));
    return [...pair, ...rest];
  }

  async #share(part: Part, kind: AnalystTask["kind"] = "own"): Promise<Share> {
    return { part, child: await this.#replicate("analyst", { ...this.#task, part, kind }) };
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
      if (result !== undefined) return this.#take(result);
      if (child === undefined || view === undefined || view.end !== null)
        return analyse(this.#task.root, listing, part);
      await after(LOOK_EVERY_MS, undefined, { signal: this.#worker.signal });
    }
  }

  #take(result: AnalystResult): Findings {
    this.#refusals.push(...result.refusals);
    return result.findings;
  }

  async #record(findings: Findings): Promise<void> {
    const result: AnalystResult = { findings, refusals: this.#refusals };
    await this.#worker.checkpoint({ ...this.#task, result } as unknown as JsonObject);
  }

  /** Whether its own part is to be divided though no generation may come after it. */
  #isLastGeneration(): boolean {
    return this.#worker.depth === this.#task.fan_out.length - 1;
  }

  /** In a full fleet it was refused for that; with room left it is refused for its depth. */
  async #askForOneMore(): Promise<void> {
    if (this.#refusals.some(({ code }) => code === "max_depth")) return;
    await this.#replicate("analyst", { ...this.#task, part: { from: 0, to: 0 } }, PATIENT);
  }

  /** One child that will hang and one that will die, as soon as the fleet has room for them. */
  async #startTroublemakers(): Promise<void> {
    for (const role of ["sleeper", "mayfly"] as const) {
      const state = { ...this.#task, part: { from: 0, to: 0 } };
      await this.#replicate(role, state, PATIENT);
    }
  }

  /** Asks until it is answered with another no than it is patient with. */
  async #replicate(
    role: Role,
    state: AnalystTask,
    patientWith: readonly string[] = ["cooldown"],
  ): Promise<WorkerHandle | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const answer = await this.#worker.maybeReplicate({
        name: `${role}-${this.#worker.depth + 1}`,
        reason: `files ${state.part.from} to ${state.part.to}`,
        state: state as unknown as JsonObject,
        run: commandFor(role, this.#mark),
      });
      if (answer.ok) return answer.worker;
      const { code, message, facts } = answer.refusal;
      if (attempt === 0) this.#refusals.push({ code, message });
      if (!patientWith.includes(code)) return undefined;
      const asked = facts["retryAfterMs"];
      const waitMs = typeof asked === "number" ? asked : ATTEMPT_EVERY_MS;
      await after(waitMs, undefined, { signal: this.#worker.signal });
    }
    return undefined;
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  // The pending timer keeps the process running until it is told to stop.
  const idle = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(idle);
      resolve();
    });
  });
}

const worker = await joinFleet();
try {
  await new Analyst(worker, process.argv[2] ?? "").work();
  await worker.shutdown("completed");
} catch (error) {
  // Being told to stop in the middle of a wait is the ordinary end here; all else is a failure,
  // recorded with its words for whoever waits for the findings.
  if (worker.signal.aborted) await worker.shutdown("completed");
  else await fail(error);
}

async function fail(error: unknown): Promise<void> {
  const why = error instanceof Error ? error.message : String(error);
  await worker.checkpoint({ ...worker.state, error: why });
  process.exitCode = 1;
  await worker.shutdown("failed");
}
