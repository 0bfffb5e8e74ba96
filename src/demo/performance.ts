import type { Receipt, WorkerView } from "../index.ts";
import { doze } from "./scenes/doze.ts";
import { editing } from "./scenes/editing.ts";
import { death, hanging } from "./scenes/ends.ts";
import { latecomer, leaving, record, type JournalFinding } from "./scenes/finale.ts";
import { exported, kill, signature } from "./scenes/kill.ts";
import { checkOpening, startRoot } from "./scenes/opening.ts";
import { quarantine } from "./scenes/quarantine.ts";
import { crowd, refusals } from "./scenes/refusals.ts";
import { report } from "./scenes/report.ts";
import { runaways } from "./scenes/runaways.ts";
import { playScene, type Stage } from "./stage/stage.ts";
import { actLine } from "./telling/acts.ts";
import type { Findings } from "./tree/analysis.ts";

/** What a demo came to, as far as it came: its checks say what is missing, and why. */
export interface Performance {
  readonly findings: Findings | null;
  readonly receipt: Receipt | null;
  readonly journal: JournalFinding | null;
  /** Every worker that ever was. */
  readonly workers: readonly WorkerView[];
}

/** The checks of the opening; everything but the end hangs on it. */
const OPENING = ["supervised", "contained"] as const;

/**
 * Plays all of it, from the first worker to what is left when the supervisor has gone. Whatever
 * goes wrong is noted at its checks, and what can still be looked at is. Throws the signal's reason
 * when the demo is to end.
 */
export async function perform(stage: Stage): Promise<Performance> {
  const findings = await playActs(stage);
  tellCounts(stage);
  await playScene(stage, crowd);
  const receipt = await playScene(stage, kill);
  const exporting = playScene(stage, exported);
  // When all is broken off nobody may have come to wait for it: whoever does is told.
  void exporting.catch(() => undefined);
  if (receipt === undefined) stage.checklist.giveUp(["signed"], "there is no receipt");
  else await playScene(stage, signature(receipt, exporting));
  await exporting;
  stage.tell(actLine("A latecomer: a killed fleet takes nobody, whoever asks."));
  await playScene(stage, latecomer);
  tellCounts(stage);
  stage.tell(actLine("After the end: the supervisor leaves, and the journal is decided again."));
  await playScene(stage, leaving);
  const finding = await playScene(stage, record);
  const workers = await playScene(stage, { checks: [], play: listWorkers });
  return {
    findings: findings ?? null,
    receipt: receipt ?? null,
    journal: finding ?? null,
    workers: workers ?? [],
  };
}

/** All that happens while the root lives; answers its report, if it has handed one in. */
async function playActs(stage: Stage): Promise<Findings | undefined> {
  const scenes = [refusals, doze, runaways, quarantine, death, hanging, editing];
  const checks = [...OPENING, ...report.checks, ...scenes.flatMap((scene) => scene.checks)];
  const root = await playScene(stage, { checks, play: startRoot });
  if (root === undefined) return undefined;
  const unwatch = watchRoot(stage, root.id);
  await playScene(stage, { checks: OPENING, play: () => checkOpening(stage, root) });
  const [findings, ...others] = await Promise.allSettled([
    playScene(stage, report),
    ...scenes.map((scene) => playScene(stage, scene)),
  ]);
  unwatch();
  // All have let go of the stage: now one of them may end it.
  for (const scene of [findings, ...others]) if (scene.status === "rejected") throw scene.reason;
  return findings.status === "fulfilled" ? findings.value : undefined;
}

/** When the root ends, nothing that is waited for comes any more; answers how to stop watching. */
function watchRoot({ chronicle, fleet, patience }: Stage, id: string): () => void {
  let isWatched = true;
  const breakOff = (why: unknown): void => {
    const words = typeof why === "string" ? why : "it does not say why";
    if (isWatched) patience.breakOff(new Error(`the root ended early: ${words}`));
  };
  const look = (): void => {
    const end = chronicle.find("worker.stopped", id);
    if (end === undefined) return;
    unwatch();
    fleet.worker(id).then((view) => breakOff(view?.state["error"] ?? end.data.reason), breakOff);
  };
  const unwatch = chronicle.watch(look);
  // It may have ended before its start was answered, and then nothing more is written.
  look();
  return () => {
    isWatched = false;
    unwatch();
    patience.resume();
  };
}

/** Tells how many refusals were only counted so far. */
function tellCounts({ commentary, tell }: Stage): void {
  const line = commentary.countRefusals();
  if (line !== undefined) tell(line);
}

async function listWorkers({ fleet }: Stage): Promise<readonly WorkerView[]> {
  return fleet.workers({ all: true });
}
