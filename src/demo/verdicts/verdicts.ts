import * as bounds from "./bounds.ts";
import * as ending from "./ending.ts";
import * as leases from "./leases.ts";
import * as opening from "./opening.ts";
import * as report from "./report.ts";
import * as trouble from "./trouble.ts";
import type { Verdict } from "./verdict.ts";

const TABLE = {
  supervised: opening.supervised,
  contained: opening.contained,
  files: report.files,
  bytes: report.bytes,
  generations: report.generations,
  stop_condition: bounds.stopCondition,
  cooldown: bounds.cooldown,
  max_depth: bounds.maxDepth,
  max_replicas: bounds.maxReplicas,
  refused: bounds.refused,
  stale: trouble.stale,
  runaways: trouble.runaways,
  caught: trouble.caught,
  frozen: trouble.frozen,
  thawed: trouble.thawed,
  died: trouble.died,
  hanging: trouble.hanging,
  turns: leases.turns,
  stale_fence: leases.staleFence,
  survival: leases.survival,
  never_both: leases.neverBoth,
  killed: ending.killed,
  receipt: ending.receipt,
  signed: ending.signed,
  late: ending.late,
  late_process: ending.lateProcess,
  verified: ending.verified,
  replayed: ending.replayed,
  gone: ending.gone,
} as const;

/** What one check is about. */
export type CheckName = keyof typeof TABLE;

/** What has to be looked at for each check. */
export type Sightings = {
  readonly [Name in CheckName]: Parameters<(typeof TABLE)[Name]>[0];
};

/** How each check is decided: from what was seen, and from nothing else. */
export const VERDICTS: {
  readonly [Name in CheckName]: (seen: Sightings[Name]) => Verdict;
} = TABLE;
