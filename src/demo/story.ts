import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { setTimeout as after } from "node:timers/promises";
import { promisify } from "node:util";
import {
  openFleet,
  sqlite,
  type ContractOptions,
  type EntryView,
  type Fleet,
  type Receipt,
  type WorkerHandle,
  type WorkerView,
} from "../index.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { Findings } from "./analysis.ts";
import { Checklist, type Check } from "./checklist.ts";
import { comment } from "./commentary.ts";
import { fileOf, listTree, type Listing } from "./listing.ts";
import { processesWith } from "./outside.ts";
import { commandFor, type AnalystResult, type AnalystTask } from "./task.ts";

const run = promisify(execFile);

/** The contract of the demo: small, so that every one of its bounds is met on the way. */
const CONTRACT: ContractOptions = {
  maxDepth: 2,
  maxReplicas: 7,
  maxTotal: 40,
  cooldownMs: 400,
  lifetimeMs: 120_000,
  registerWithinMs: 20_000,
  beatEveryMs: 500,
  reapAfterMs: 3_000,
  silentAlive: "stop",
  allowDegraded: ["same_user", "network"],
  stopConditions: [
    {
      name: "vendored",
      description: "code of others gets no worker of its own",
      when: 'has(state.kind) && state.kind == "vendored"',
    },
  ],
};

/** Among how many workers a part is divided: the root's among five, every other's among two. */
const FAN_OUT = [5, 2, 2];

const ANALYSIS_MS_MAX = 40_000;
const TROUBLE_MS_MAX = 30_000;
const LOOK_EVERY_MS = 100;

/** What the demo is run on. */
export interface Stage {
  /** The tree to analyse. */
  readonly root: string;
  /** The temporary state folder; its path marks the processes of this demo. */
  readonly dir: string;
  readonly tell: (line: string) => void;
  /** Fires when the demo is to end early and clean up. */
  readonly signal: AbortSignal;
}

/** What the demo tells at its end. */
export interface Telling {
  readonly passed: boolean;
  readonly checks: readonly Check[];
  readonly report: Findings & {
    readonly root: string;
    readonly git: boolean;
    /** Why there is no git: `absent`, `outside` a repository, or git's own words. */
    readonly whyNot: string;
  };
  readonly workers: readonly WorkerView[];
  readonly refusals: readonly { readonly code: string; readonly message: string }[];
  readonly receipt: Receipt;
  readonly journal: JournalTelling;
}

type RefusedEntry = Extract<EntryView, { readonly kind: "command.refused" }>;

interface JournalTelling {
  readonly entries: number;
  readonly verified: boolean;
  readonly replayed: boolean;
}

/** Runs a real fleet on a tree from its first worker to its kill, and checks it from outside. */
export async function tellStory(stage: Stage): Promise<Telling> {
  const listing = await listTree(stage.root);
  const fleet = await openFleet({ store: sqlite({ dir: stage.dir }), contract: CONTRACT });
  const commentary = comment(fleet, stage.tell);
  try {
    return await new Story(stage, fleet, listing).tell();
  } finally {
    // Whatever went wrong above: nothing that was started here outlives the demo.
    if (fleet.status !== "killed") await fleet.kill({ reason: "the demo ends early" });
    await fleet.close();
    await commentary;
  }
}

class Story {
  readonly #stage: Stage;
  readonly #fleet: Fleet;
  readonly #listing: Listing;
  readonly #seen: Checklist;

  constructor(stage: Stage, fleet: Fleet, listing: Listing) {
    this.#stage = stage;
    this.#fleet = fleet;
    this.#listing = listing;
    this.#seen = new Checklist(stage.tell);
  }

  async tell(): Promise<Telling> {
    const root = await this.#startRoot();
    const result = await this.#awaitReport(root);
    await this.#checkReport(result.findings);
    await this.#stopOneChild(root);
    await this.#awaitTrouble();
    await this.#checkRefusals();
    const receipt = await this.#kill();
    await this.#checkLatecomers();
    const journal = await this.#checkJournal();
    const { git, whyNot } = this.#listing;
    return {
      passed: this.#seen.passed,
      checks: this.#seen.checks,
      report: { root: this.#stage.root, git, whyNot, ...result.findings },
      workers: await this.#fleet.workers({ all: true }),
      refusals: (await this.#refusals()).map(({ data: { code, message } }) => ({ code, message })),
      receipt,
      journal,
    };
  }

  #startRoot(): Promise<WorkerHandle> {
    const { digest, vendoredFrom } = this.#listing;
    const task: AnalystTask = {
      root: this.#stage.root,
      digest,
      part: { from: 0, to: vendoredFrom },
      fan_out: FAN_OUT,
      kind: "own",
    };
    const run = commandFor("analyst", this.#stage.dir);
    return this.#fleet.start({ name: "root", state: task as unknown as JsonObject, run });
  }

  async #awaitReport(root: WorkerHandle): Promise<AnalystResult> {
    return this.#until("the root has handed its report back", ANALYSIS_MS_MAX, async () => {
      const view = await root.view();
      const why = view?.state["error"] ?? view?.end?.reason;
      if (typeof why === "string") throw new Error(`the root ended early: ${why}`);
      if (view === undefined) return undefined;
      // The root is an analyst: what it has recorded there is its result.
      return view.state["result"] as unknown as AnalystResult | undefined;
    });
  }

  /** The report against what can be counted here, and the processes against the table. */
  async #checkReport(findings: Findings): Promise<void> {
    const { paths } = this.#listing;
    this.#note("the merged report counts every file", findings.files === paths.length, [
      `${findings.files} files, ${findings.lines} lines`,
      `${paths.length} listed here`,
    ]);
    let bytes = 0;
    for (const path of paths) bytes += (await stat(fileOf(this.#stage.root, path))).size;
    this.#note("and every byte", findings.bytes === bytes, [
      `${findings.bytes}`,
      `${bytes} by stat`,
    ]);
    const generations = new Set(this.#fleet.workers().map(({ depth }) => depth));
    this.#note("two generations of real processes", generations.has(1) && generations.has(2), [
      `${(await processesWith(this.#stage.dir)).length} processes in the host's table`,
      `depths ${[...generations].toSorted((a, b) => a - b).join(", ")}`,
    ]);
  }

  /** Makes room in a full fleet: an ordinary stop, of a child with what is below it. */
  async #stopOneChild(root: WorkerHandle): Promise<void> {
    const workers = this.#fleet.workers();
    const children = workers.filter(({ parent }) => parent === root.id);
    const child = children.toSorted((a, b) => b.childrenCount - a.childrenCount)[0];
    if (child === undefined) throw new Error("the root must have children to stop one");
    const below = workers.filter(({ parent }) => parent === child.id).map(({ id }) => id);
    const { pid } = child.process ?? {};
    await this.#fleet.stop(child.id, { tree: true });
    const alive = (await processesWith(this.#stage.dir)).some((listed) => listed.pid === pid);
    const left = this.#fleet.workers().filter(({ id }) => [child.id, ...below].includes(id)).length;
    this.#note("a child is stopped with its tree", !alive && left === 0, [
      `process ${pid ?? "?"} ${alive ? "still runs" : "is gone"}`,
      `${left} of ${1 + below.length} left`,
    ]);
  }

  /** The root has meanwhile started one child that hangs and one that dies. */
  async #awaitTrouble(): Promise<void> {
    const ends = await this.#until(
      "the sleeper and the mayfly have ended",
      TROUBLE_MS_MAX,
      async () => {
        const all = await this.#fleet.workers({ all: true });
        const find = (name: string): WorkerView | undefined =>
          all.find((worker) => worker.name.startsWith(name) && worker.end !== null);
        const [sleeper, mayfly] = [find("sleeper"), find("mayfly")];
        return sleeper !== undefined && mayfly !== undefined ? { sleeper, mayfly } : undefined;
      },
    );
    const pids = (await processesWith(this.#stage.dir)).map(({ pid }) => pid);
    const isGone = ({ process }: WorkerView): boolean =>
      process !== null && !pids.includes(process.pid);
    const { sleeper, mayfly } = ends;
    this.#note(
      "a child that hangs is stopped",
      sleeper.end?.reason === "silent" && isGone(sleeper),
      [`${sleeper.end?.reason ?? "?"}, evidence ${sleeper.end?.grade ?? "none"}`],
    );
    const signal = mayfly.end?.outcome.signal;
    this.#note("a child that dies is reaped", signal === "SIGKILL" && isGone(mayfly), [
      `ended by ${signal ?? "?"}, evidence ${mayfly.end?.grade ?? "none"}`,
    ]);
  }

  async #checkRefusals(): Promise<void> {
    const codes = await this.#until("a refusal by max_depth", TROUBLE_MS_MAX, async () => {
      const refused = (await this.#refusals()).map(({ data }) => data.code);
      return refused.includes("max_depth") ? refused : undefined;
    });
    for (const code of ["max_replicas", "max_depth", "cooldown", "stop_condition"] as const)
      this.#note(`a replication was refused by ${code}`, codes.includes(code), [
        `${codes.filter((each) => each === code).length} times`,
      ]);
  }

  async #refusals(): Promise<readonly RefusedEntry[]> {
    const refusals: RefusedEntry[] = [];
    for await (const entry of this.#fleet.entries())
      if (entry.kind === "command.refused") refusals.push(entry);
    return refusals;
  }

  async #kill(): Promise<Receipt> {
    const before = (await processesWith(this.#stage.dir)).length;
    const receipt = await this.#fleet.kill({ reason: "the demo is over" });
    const left = await processesWith(this.#stage.dir);
    this.#note("the kill left no process", before > 0 && left.length === 0, [
      `${before} before, ${left.length} after`,
    ]);
    const swept = receipt.workers.every(({ grade }) => grade === "swept");
    this.#note("the receipt says what it can prove", !receipt.proven && swept, [
      `${receipt.stoppedCount} stopped, ${receipt.survivorCount} survivors`,
      receipt.proven ? "proven" : "not proven",
      receipt.why.join("; "),
    ]);
    this.#note("the receipt is signed", this.#fleet.verifyReceipt(receipt), [receipt.keyId]);
    return receipt;
  }

  async #checkLatecomers(): Promise<void> {
    const here = await this.#fleet.tryStart({ name: "latecomer" });
    const code = here.ok ? "admitted" : here.refusal.code;
    this.#note("a later spawn is refused", code === "fleet_killed", [code]);
    const [node, ...args] = commandFor("latecomer", this.#stage.dir);
    const { stdout } = await run(node, [...args, this.#stage.dir]);
    this.#note("and from a new process", stdout.trim() === "fleet_killed", [stdout.trim()]);
  }

  async #checkJournal(): Promise<JournalTelling> {
    const audit = await this.#fleet.audit();
    const verified = audit.problems.length === 0 && audit.entryCount > 0;
    const onDisk = (await readdir(this.#stage.dir, { recursive: true })).length > 0;
    this.#note("the journal verifies", verified && onDisk, [
      `${audit.entryCount} entries, signed up to ${audit.anchorSeq ?? "nowhere"}`,
      ...audit.problems,
    ]);
    this.#note("and replays to the same state", audit.isReplayed, [audit.stateHash.slice(0, 16)]);
    return { entries: audit.entryCount, verified, replayed: audit.isReplayed };
  }

  #note(what: string, seen: boolean, details: readonly string[]): void {
    this.#seen.note(what, seen, details.filter((detail) => detail !== "").join(", "));
  }

  /** Looks until there is something, or says after `withinMs` what did not come. */
  async #until<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
    for (let waitedMs = 0; waitedMs < withinMs; waitedMs += LOOK_EVERY_MS) {
      const found = await look();
      if (found !== undefined) return found;
      await after(LOOK_EVERY_MS, undefined, { signal: this.#stage.signal });
    }
    throw new Error(`expected within ${withinMs} ms: ${what}`);
  }
}
