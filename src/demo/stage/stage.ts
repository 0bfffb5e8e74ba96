import type { EntryView, Fleet, SupervisorView } from "../../index.ts";
import type { Census } from "../outside/census.ts";
import type { Commentary } from "../telling/commentary.ts";
import type { Listing } from "../tree/listing.ts";
import type { ScratchTask } from "../task.ts";
import type { CheckName } from "../verdicts/verdicts.ts";
import type { Checklist } from "./checklist.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Patience } from "./patience.ts";
import type { Premises } from "./premises.ts";
import type { RungName } from "./supervisor.ts";

/**
 * How long anything is waited for, ms. It is long because a busy machine is slow and not wrong; on
 * an idle one nothing comes near it.
 */
export const PATIENCE_MS = 90_000;

/** What a scene of the demo plays on: a fleet, and the ways to look at it from outside. */
export interface Stage {
  /** The tree that is analysed. */
  readonly root: string;
  readonly listing: Listing;
  readonly premises: Premises;
  /** What the workers edit. */
  readonly scratch: ScratchTask;
  readonly rung: RungName;
  readonly fleet: Fleet;
  readonly supervisor: SupervisorView;
  readonly chronicle: Chronicle;
  readonly census: Census;
  readonly checklist: Checklist;
  readonly patience: Patience;
  /** Fires when the demo is to end early. */
  readonly signal: AbortSignal;
  /** Tells a line of the story. */
  readonly tell: (line: string) => void;
  readonly commentary: Commentary;
}

/** One scene: what it plays, and the checks that are not seen if it breaks off. */
export interface Scene<T = void> {
  readonly checks: readonly CheckName[];
  play(stage: Stage): Promise<T>;
}

/**
 * Plays a scene and answers what comes of it. What goes wrong in it is noted at its checks, the
 * others go on, and the answer is undefined; only the end of the whole demo is thrown.
 */
export async function playScene<T>(stage: Stage, scene: Scene<T>): Promise<T | undefined> {
  try {
    return await scene.play(stage);
  } catch (error) {
    if (stage.signal.aborted) throw stage.signal.reason;
    stage.checklist.giveUp(scene.checks, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Whether the supervisor says that it makes control groups for workers. */
export function promisesGroups({ supervisor }: Stage): boolean {
  return supervisor.rung.startsWith("control group");
}

/** The refusals on record so far. */
export function refusalsIn(entries: readonly EntryView[]): readonly RefusedEntry[] {
  return entries.filter((entry): entry is RefusedEntry => entry.kind === "command.refused");
}

type RefusedEntry = Extract<EntryView, { readonly kind: "command.refused" }>;
