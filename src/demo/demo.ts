import { openFleet, sqlite } from "../index.ts";
import type { ContractOptions, Fleet, SupervisorView } from "../index.ts";
import { Census } from "./outside/census.ts";
import { perform, type Performance } from "./performance.ts";
import { makeScratch } from "./scratch/clone.ts";
import { Checklist, type Check } from "./stage/checklist.ts";
import { Chronicle } from "./stage/chronicle.ts";
import { Cleanup } from "./stage/cleanup.ts";
import { Patience } from "./stage/patience.ts";
import { demandFiles } from "./stage/files.ts";
import { makePremises, type Premises } from "./stage/premises.ts";
import { refusalsIn, type Stage } from "./stage/stage.ts";
import { startSupervisor, type RungName } from "./stage/supervisor.ts";
import { Acts, actLine, INTRODUCTION } from "./telling/acts.ts";
import { Commentary } from "./telling/commentary.ts";
import { counted } from "./telling/counted.ts";
import type { Narrator } from "./telling/narrator.ts";
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

/** What the workers have found, and in which tree. */
export interface Report extends Findings {
  readonly root: string;
  readonly git: boolean;
  /** Why there is no git: `absent`, `outside` a repository, or git's own words. */
  readonly whyNot: string;
  /** How many folders nobody was let list; without git alone. */
  readonly closedFolders: number;
}

/** What the demo tells at its end. */
export interface Telling extends Omit<Performance, "findings"> {
  readonly isPassed: boolean;
  readonly checks: readonly Check[];
  /** What the workers have found; null when they have not handed it in. */
  readonly report: Report | null;
  readonly rung: { readonly name: RungName; readonly words: string };
  /** What this host does not hold, and which of it the contract had to allow. */
  readonly degraded: readonly string[];
  readonly allowed: readonly string[];
  readonly refusals: readonly Refusal[];
  /** The state folder, where it was kept. */
  readonly stateDir: string | null;
  readonly durationMs: number;
}

/**
 * Runs a real fleet on a tree from its first worker to its kill, and checks it from outside.
 * However it ends, nothing of it is left, but for the folder where that is to be kept.
 *
 * Throws the signal's reason when it fires and nothing is left, `InputError` when the tree has no
 * files, what keeps a fleet from being begun, and an Error that says what could not be ended.
 */
export async function runDemo(options: DemoOptions): Promise<Telling> {
  const premises = makePremises();
  const cleanup = new Cleanup(premises, (line) => options.narrator.tell(line));
  let telling: Telling;
  try {
    telling = await present(options, premises, cleanup);
  } catch (error) {
    await cleanup.run({ isKept: false });
    throw error;
  }
  const { isKept } = options;
  try {
    await cleanup.run({ isKept });
  } catch (error) {
    return notGone(telling, error);
  }
  return { ...telling, stateDir: isKept ? premises.stateDir : null };
}

async function present(
  options: DemoOptions,
  premises: Premises,
  cleanup: Cleanup,
): Promise<Telling> {
  const startedAtMs = performance.now();
  const stage = await openStage(options, premises, cleanup);
  const { findings, ...came } = await perform(stage);
  const { fleet, supervisor, checklist, chronicle, listing } = stage;
  const { git, whyNot, closedFolders } = listing;
  const tree = { root: stage.root, git, whyNot, closedFolders };
  return {
    ...came,
    isPassed: checklist.isPassed,
    checks: checklist.checks,
    report: findings === null ? null : { ...tree, ...findings },
    rung: { name: stage.rung, words: supervisor.rung },
    degraded: supervisor.degraded,
    allowed: fleet.contract.allowDegraded,
    refusals: refusalsIn(chronicle.entries).map(({ seq, data: { code, message } }) => ({
      code,
      message,
      seq,
    })),
    stateDir: null,
    durationMs: Math.round(performance.now() - startedAtMs),
  };
}

/** A demo that was told to its end, and has left something that it could not end or remove. */
function notGone(telling: Telling, error: unknown): Telling {
  const detail = error instanceof Error ? error.message : String(error);
  const checks = telling.checks.map((check) =>
    check.name === "gone" ? { ...check, isSeen: false, detail } : check,
  );
  return { ...telling, isPassed: false, checks };
}

async function openStage(
  { root, rung, narrator, signal }: DemoOptions,
  premises: Premises,
  cleanup: Cleanup,
): Promise<Stage> {
  const patience = new Patience(signal);
  const chronicle = new Chronicle(patience);
  const checklist = new Checklist(({ what, isSeen, detail }) =>
    narrator.tell(`${isSeen ? "✓" : "✗"} ${what}: ${detail}`, isSeen ? "good" : "bad"),
  );
  const tell = (line: string): void => narrator.tell(line);
  const listing = await demandFiles(root, { except: premises.dir });
  const scratch = await makeScratch(premises, { root, listing });
  for (const line of INTRODUCTION) tell(line);
  const files = counted(listing.paths.length, "file");
  tell(`A fleet on ${root} (${files}), its state in ${premises.stateDir}`);
  const store = sqlite({ dir: premises.stateDir });
  const fleet = await openFleet({ store, name: "demo", contract: CONTRACT });
  cleanup.take({ fleet });
  const census = new Census(fleet.id);
  cleanup.take({ census });
  const commentary = new Commentary();
  const acts = new Acts();
  const following = chronicle.follow(fleet, (entry) => {
    const act = acts.before(entry);
    if (act !== undefined && !signal.aborted) tell(actLine(act));
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
  const looks = { chronicle, census, checklist, patience, signal, tell, commentary };
  return { root, listing, premises, scratch, rung, fleet, supervisor, ...looks };
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
