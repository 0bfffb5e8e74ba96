import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { JoinedWorker } from "../../worker.ts";
import type { ScratchTask } from "../task.ts";
import { BRANCH, MARKS, resourceOf } from "./clone.ts";
import { Desk } from "./desk.ts";
import { scratchGit } from "./git.ts";

/** How long a lease is asked for, ms: longer than an edit takes on a busy machine. */
const TTL_MS = 60_000;

/** How soon a lease is asked for again that somebody else has. */
const RETRY_EVERY_MS = 150;

/** Refusals that pass by themselves: another holds it, or the worker's own beats are late. */
const PASSING: readonly string[] = ["conflict", "holder_stale"];

type Lease = Awaited<ReturnType<JoinedWorker["acquire"]>>;

/** Edits one file of the scratch clone under a lease, as often as it takes to get that. */
export class Editor {
  readonly #worker: JoinedWorker;
  readonly #scratch: ScratchTask;
  readonly #desk: Desk;
  readonly #name: string;
  readonly #file: string;

  /** Throws where the task has no file for a worker of this name. */
  constructor(worker: JoinedWorker, scratch: ScratchTask) {
    this.#worker = worker;
    this.#scratch = scratch;
    this.#desk = new Desk(scratch.desk);
    this.#name = worker.manifest.name;
    const file = scratch.files[this.#name];
    if (file === undefined) throw new Error(`a file must be ${this.#name}'s to edit, none is`);
    this.#file = file;
  }

  /**
   * Waits until all who want this file are there, and asks for it. Who gets it first keeps it until
   * another was refused; who gets it last keeps it until somebody has looked.
   */
  async edit(): Promise<void> {
    const { signal } = this.#worker;
    const others = Object.entries(this.#scratch.files).flatMap(([name, file]) =>
      file === this.#file && name !== this.#name ? name : [],
    );
    this.#desk.mark(MARKS.ready(this.#name));
    for (const name of others) await this.#desk.awaitMark(MARKS.ready(name), signal);
    let isFirst = true;
    await using lease = await this.#acquire(resourceOf(this.#scratch, this.#file), () => {
      isFirst = false;
      this.#desk.mark(MARKS.refused(this.#name));
    });
    if (isFirst) for (const name of others) await this.#desk.awaitMark(MARKS.refused(name), signal);
    await this.#demandWritable(lease);
    this.#append(`${this.#name} (${this.#worker.id}) was here, under fence ${lease.fence}`);
    if (this.#scratch.git) await this.#commit();
    if (!isFirst) await this.#desk.awaitMark(MARKS.looked, signal);
  }

  /** Asks until it is granted; throws at any other no than what passes. */
  async #acquire(resource: string, onConflict?: () => void): Promise<Lease> {
    for (;;) {
      const asked = await this.#worker.tryAcquire({ region: resource, ttlMs: TTL_MS });
      if (asked.ok) return asked.lease;
      const { code, message } = asked.refusal;
      if (!PASSING.includes(code)) throw new Error(`${code}: ${message}`);
      if (code === "conflict") onConflict?.();
      await after(RETRY_EVERY_MS, undefined, { signal: this.#worker.signal });
    }
  }

  /** Asks whether it may write there, as a careful writer does just before it writes. */
  async #demandWritable({ fence }: Lease): Promise<void> {
    const [verdict] = await this.#worker.check([this.#path], { fence });
    if (verdict?.reason === "held_by_you") return;
    throw new Error(`${this.#file} must be this worker's to write, it is ${verdict?.reason}`);
  }

  get #path(): string {
    return join(this.#scratch.dir, this.#file);
  }

  #append(line: string): void {
    const path = this.#path;
    mkdirSync(dirname(path), { recursive: true });
    const text = existsSync(path) ? readFileSync(path, "latin1") : "";
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    // Read and written a character a byte: whatever it is, it stays.
    writeFileSync(path, `${text}${gap}${line}\n`, "latin1");
  }

  /** Commits the file. All commit to one branch, so that is a thing to be held, too. */
  async #commit(): Promise<void> {
    await using _ = await this.#acquire(`branch:${BRANCH}`);
    const name = this.#name;
    await scratchGit(this.#scratch, ["add", "--", this.#file]);
    const author = `--author=${name} <${name}@example.invalid>`;
    await scratchGit(this.#scratch, ["commit", "--quiet", author, `--message=Edit by ${name}`]);
  }
}
