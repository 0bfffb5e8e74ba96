import { openFleet, sqlite, type ContractOptions, type Fleet, type Receipt } from "../index.ts";
import type { SupervisorView, WorkerView } from "../index.ts";
import { Census } from "./outside/census.ts";
import { checkJournal, killAll, leave, refuseLate, type JournalFinding } from "./scenes/finale.ts";
import { doze } from "./scenes/doze.ts";
import { death, hanging } from "./scenes/ends.ts";
import { checkOpening, startRoot } from "./scenes/opening.ts";
import { quarantine } from "./scenes/quarantine.ts";
import { refusals } from "./scenes/refusals.ts";
import { awaitFindings, report } from "./scenes/report.ts";
import { runaways } from "./scenes/runaways.ts";
import { Checklist, type Check } from "./stage/checklist.ts";
import { Chronicle } from "./stage/chronicle.ts";
import { Cleanup } from "./stage/cleanup.ts";
import { Patience } from "./stage/patience.ts";
import { makePremises, type Premises } from "./stage/premises.ts";
import { playScene, refusalsIn, type Stage } from "./stage/stage.ts";
import { startSupervisor, type RungName } from "./stage/supervisor.ts";
import { Commentary } from "./telling/commentary.ts";
import type { Narrator } from "./telling/narrator.ts";
import { listTree } from "./tree/listing.ts";
import type { Findings } from "./tree/analysis.ts";

/** The contract of the demo: small, so that every one of its bounds is met on the way. */
const CONTRACT: ContractOptions = {
  maxDepth: 2,
  // The root, three children and theirs, those that misbehave, and few places more.
  maxReplicas: 13,
  maxTotal: 60,
  cooldownMs: 500,
  lifetimeMs: 600_000,
  registerWithinMs: 60_000,
  // Stale after 1.5 s, which harms nobody; found to hang after 8 s, which a busy machine does not
  // take to let a worker beat.
  beatEveryMs: 500,
  reapAfterMs: 8_000,
  silentAlive: "stop",
  refusalsPerMinute: 1_000,
  stopConditions: [
    {
      name: "vendored",
      description: "code of others gets no worker of its own",
      when: 'has(state.kind) && state.kind == "vendored"',
    },
  ],
};

/** What a worker without limits of its own cannot do without: the rest would bind nobody here. */
const NEEDED = ["same_user", "network"];

/** What is demonstrated, and to whom. */
export interface DemoOptions {
  /** The tree to analyse; a real path. */
  readonly root: string;
  /** The rung of containment; it must work here. */
  readonly rung: RungName;
  /** Whether the fleet's folder stays when the demo has come to its end. */
  readonly isKept: boolean;
  readonly narrator: Narrator;
  /** Fires when the demo is to end early. */
  readonly signal: AbortSignal;
}

/** A refusal on record, and the entry that it is. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly seq: number;
}

/** What the demo tells at its end. */
export interface Telling {
  readonly isPassed: boolean;
  readonly checks: readonly Check[];
  readonly report: Findings & {
    readonly root: string;
    readonly git: boolean;
    /** Why there is no git: `absent`, `outside` a repository, or git's own words. */
    readonly whyNot: string;
  };
  readonly rung: { readonly name: RungName; readonly words: string };
  /** What this host does not hold, and which of it the contract had to allow. */
  readonly degraded: readonly string[];
  readonly allowed: readonly string[];
  readonly workers: readonly WorkerView[];
  readonly refusals: readonly Refusal[];
  readonly receipt: Receipt;
  readonly journal: JournalFinding;
  /** The state folder, where it was kept. */
  readonly stateDir: string | null;
  readonly durationMs: number;
}

/**
 * Runs a real fleet on a tree from its first worker to its kill, and checks it from outside.
 * However it ends, nothing of it is left, but for the folder where that is to be kept.
 *
 * Throws the signal's reason when it fires, and what keeps a fleet from being begun.
 */
export async function runDemo(options: DemoOptions): Promise<Telling> {
  const premises = makePremises();
  const cleanup = new Cleanup(premises);
  let isKept = false;
  try {
    const telling = await perform(options, premises, cleanup);
    isKept = options.isKept;
    return { ...telling, stateDir: isKept ? premises.stateDir : null };
  } finally {
    await cleanup.run({ isKept });
  }
}

async function perform(
  options: DemoOptions,
  premises: Premises,
  cleanup: Cleanup,
): Promise<Telling> {
  const startedAtMs = performance.now();
  const stage = await openStage(options, premises, cleanup);
  const root = await startRoot(stage);
  await playScene(stage, {
    checks: ["supervised", "contained"],
    play: () => checkOpening(stage, root),
  });
  const scenes = [report, refusals, doze, runaways, quarantine, death, hanging];
  const played = await Promise.allSettled(scenes.map((scene) => playScene(stage, scene)));
  // All have let go of the stage: now one of them may end it.
  for (const scene of played) if (scene.status === "rejected") throw scene.reason;
  const findings = await awaitFindings(stage);
  const receipt = await killAll(stage);
  await refuseLate(stage);
  await leave(stage);
  const journal = await checkJournal(stage);
  const { fleet, supervisor, checklist, chronicle, listing } = stage;
  return {
    isPassed: checklist.isPassed,
    checks: checklist.checks,
    report: { root: stage.root, git: listing.git, whyNot: listing.whyNot, ...findings },
    rung: { name: stage.rung, words: supervisor.rung },
    degraded: supervisor.degraded,
    allowed: fleet.contract.allowDegraded,
    workers: await fleet.workers({ all: true }),
    refusals: refusalsIn(chronicle.entries).map(({ seq, data: { code, message } }) => ({
      code,
      message,
      seq,
    })),
    receipt,
    journal,
    stateDir: null,
    durationMs: Math.round(performance.now() - startedAtMs),
  };
}

async function openStage(
  { root, rung, narrator, signal }: DemoOptions,
  premises: Premises,
  cleanup: Cleanup,
): Promise<Stage> {
  const patience = new Patience(signal);
  const chronicle = new Chronicle(patience, signal);
  const checklist = new Checklist(({ what, isSeen, detail }) =>
    narrator.tell(`${isSeen ? "✓" : "✗"} ${what}: ${detail}`, isSeen ? "good" : "bad"),
  );
  const tell = (line: string): void => narrator.tell(line);
  tell(`A fleet on ${root}, its state in ${premises.stateDir}`);
  const listing = await listTree(root, { except: premises.dir });
  const store = sqlite({ dir: premises.stateDir });
  const fleet = await openFleet({ store, name: "demo", contract: CONTRACT });
  cleanup.take({ fleet });
  const census = new Census(fleet.id);
  cleanup.take({ census });
  const commentary = new Commentary();
  const following = chronicle.follow(fleet, (entry) => {
    const line = commentary.describe(entry);
    if (line !== undefined) narrator.tell(line, entry.kind === "command.refused" ? "plain" : "dim");
  });
  cleanup.take({ following });
  narrator.follow(() => ({
    ...checklist.counts,
    awaited: patience.awaited,
    workerCount: fleet.workers().length,
  }));
  signal.throwIfAborted();
  await patience.naming("the supervisor serves", () =>
    startSupervisor(premises.stateDir, rung, (row) => {
      census.supervisor = row;
    }),
  );
  premises.learnRuntimeDir();
  signal.throwIfAborted();
  const supervisor = await demandSupervisor(fleet);
  await allow(fleet, supervisor, tell);
  const looks = { chronicle, census, checklist, patience, signal, tell };
  return { root, listing, premises, rung, fleet, supervisor, ...looks };
}

async function demandSupervisor(fleet: Fleet): Promise<SupervisorView> {
  const supervisor = await fleet.supervisor();
  if (supervisor === null) throw new Error("a supervisor that serves must answer, it does not");
  return supervisor;
}

const MEANINGS: Readonly<Record<string, string>> = {
  same_user: "workers run as this very user, and can see its files and the fleet's keys",
  network: "no network can be kept from workers",
  memory: "a limit of memory would bind nobody",
  cpu: "a limit of cpu would bind nobody",
  processes: "a limit of processes would bind nobody",
};

/** Allows what this host cannot hold and the workers need, by name, and says what it means. */
async function allow(
  fleet: Fleet,
  { rung, degraded }: SupervisorView,
  tell: (line: string) => void,
): Promise<void> {
  tell(`Workers are contained by: ${rung}`);
  for (const word of degraded) {
    const how = NEEDED.includes(word) ? "allowed by the contract" : "and no worker here has one";
    tell(`  not held here: ${word}, ${how}: ${MEANINGS[word] ?? word}`);
  }
  const allowDegraded = degraded.filter((word) => NEEDED.includes(word));
  if (allowDegraded.length === 0) return;
  await fleet.enact({
    ...CONTRACT,
    allowDegraded: allowDegraded as ContractOptions["allowDegraded"] & {},
  });
}
