import { ok } from "./assert.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * Every limit of Stint, in one place, with its unit in its name.
 * The relations that other code relies on are asserted below, when this module loads.
 */
export const LIMITS = {
  // Contract fields: [least, most].
  depthMin: 0,
  depthMax: 64,
  replicasMin: 1,
  replicasMax: 100_000,
  totalMin: 1,
  totalMax: 1_000_000_000,
  cooldownMsMax: 30 * dayMs,
  lifetimeMsMin: 1,
  lifetimeMsMax: 30 * dayMs,
  registerWithinMsMin: 1,
  registerWithinMsMax: hourMs,
  beatEveryMsMin: 100,
  beatEveryMsMax: hourMs,
  reapAfterMsMax: dayMs,
  tetherMsMin: secondMs,
  tetherMsMax: hourMs,
  quarantineMsMin: secondMs,
  quarantineMsMax: 30 * dayMs,
  revokeMsMax: hourMs,
  clockToleranceMsMin: 100,
  clockToleranceMsMax: hourMs,
  refusalsPerMinuteMin: 1,
  refusalsPerMinuteMax: 100_000,
  stopConditionsMax: 64,
  killConditionsMax: 64,
  killConditionForMsMax: dayMs,
  armedProblemBytesMax: 512,
  armedEveryMsMin: minuteMs,
  armedEveryMsMax: 30 * dayMs,

  // Liveness.
  staleBeats: 3,
  livenessMsMin: secondMs,
  livenessMsMax: 30 * dayMs,

  // Budgets: integers on the wire.
  cpuMilliMax: 1_000_000_000,
  memoryBytesMax: 2 ** 50,
  processesMax: 10_000_000,
  spawnsMax: 1_000_000_000,
  cpuMsMax: 2 ** 50,
  wallMsMax: 30 * dayMs,
  unitsMax: 16,
  unitAmountMax: 2 ** 52,
  unitNameMax: 32,

  // Texts and payloads, in UTF-8 bytes unless the name says otherwise.
  nameCharsMax: 64,
  reasonBytesMax: 1_024,
  noteBytesMax: 8_192,
  stateBytesMax: 65_536,
  stateNestingMax: 64,
  evidenceBytesMax: 16_384,
  commandIdCharsMax: 128,
  actorTextCharsMax: 256,
  regionPatternsMax: 256,
  regionPatternBytesMax: 1_024,
  regionAlternativesMax: 256,
  regionSegmentsMax: 64,
  regionBytesMax: 16 * 1_024,
  regionSegmentBytesMax: 255,
  regionWildItemsMax: 2_048,
  regionSearchWorkMax: 1_000_000,
  functionConditionMs: 50,

  // Leases and lanes.
  leaseTtlMsMin: secondMs,
  leaseTtlMsMax: dayMs,
  leaseTtlMsDefault: 5 * minuteMs,
  renewRecordEveryMsMax: 30 * secondMs,
  renewRecordsPerTtlMin: 2,
  leasesMax: 100_000,
  leasesPerHolderMax: 256,
  leaseLapsesPerDecisionMax: 256,
  lanesMax: 256,
  lanesBytesMax: 256 * 1_024,
  laneSlotsMax: 10_000,
  laneAliasesMax: 16,
  lanesAskedMax: 64,
  alsoHeldMax: 64,
  alsoHeldBytesMax: 32 * 1_024,
  holderBytesMax: 256,
  keyBytesMax: 256,
  leaseConditionsMax: 64,
  // For all that one decision looks at together: how much work it may be is counted, not timed.
  leaseSearchWorkMax: 2_000_000,
  leaseBytesPerHolderMax: 32 * 1_024,
  pathsCheckedMax: 10_000,
  pathBytesMax: 4_096,
  // For all paths of one check together, and so much more for each of them.
  checkWorkMax: 2_000_000,
  checkWorkPerPathMax: 2_000,

  // The queue for ground.
  placeMs: 15 * secondMs,
  // A place is recorded as kept when it would move by so much.
  placeMovesMsMin: 5 * secondMs,
  // For so long a place that is over is not recorded so: who asks is told why.
  placeToldMs: 5 * secondMs,
  waitMsMin: 1,
  waitMsMax: dayMs,
  placesMax: 4_096,
  placesPerHolderMax: 64,
  placeLapsesPerDecisionMax: 256,
  placeBytesPerHolderMax: 64 * 1_024,
  // For looking whether those who wait do so in a circle: with less than a decision may cost.
  waitSearchWorkMax: 300_000,

  // Roster and roll.
  rosterMax: 256,
  rosterBytesMax: 64 * 1_024,
  rosterInstancesMax: 1_000,
  serviceArgumentsMax: 64,
  serviceArgumentBytesMax: 4_096,
  serviceUnitCharsMax: 255,
  rollEveryMsMin: secondMs,
  rollEveryMsMax: hourMs,
  rollEveryMsDefault: 10 * secondMs,
  rollRowsMax: 20_000,
  rollInstancesMax: 1_000,
  rollPerDecisionMax: 256,
  controlTtlMsMin: secondMs,
  controlTtlMsMax: hourMs,
  controlTargetsMax: 256,
  controlDataBytesMax: 4 * 1_024,

  // Access tokens.
  tokensMax: 1_024,
  tokenLifetimeMsMin: secondMs,
  tokenLifetimeMsMax: 365 * dayMs,
  loginCodeMsMax: minuteMs,

  // Conditions (CEL).
  conditionSourceBytesMax: 4_096,
  conditionNodesMax: 200,
  conditionMacroElementsMax: 1_000,

  // Journal.
  entryBytesMax: 512 * 1_024,
  decisionAgeMsMax: 2 * secondMs,
  commandMemoryMs: dayMs,
  clockStepMsMax: 7 * dayMs,
  signEveryEntries: 4_096,
  batchCommandsMax: 256,
  readEntriesMax: 4_096,
  segmentEntriesMax: 100_000,
  retentionMsMin: dayMs + hourMs,
  retentionMsMax: 3_650 * dayMs,
  retentionEntriesMin: 1_000,
  retentionEntriesMax: 1_000_000_000,
  segmentBytesMax: 64 * 2 ** 20,
  appendAttemptsMax: 1_000,
  storeBusyMs: 10 * secondMs,
  appendUnknownMs: 2 * secondMs,
  refusalWindowMs: minuteMs,
  rateActorsMax: 10_000,
  adoptionsMax: 512,
  // A fence is the epoch × 2^40 + seq, one number below 2^53.
  seqMax: 2 ** 40 - 1,
  epochMax: 2 ** 13 - 1,

  // Sandboxes, and the output of workers.
  openFilesMin: 64,
  openFilesMax: 2 ** 20,
  limitHitEveryMs: minuteMs,
  writableFoldersMax: 64,
  folderBytesMax: 4_096,
  scratchBytesMin: 2 ** 20,
  scratchBytesMax: 2 ** 40,
  outputBytesMin: 64 * 1_024,
  outputBytesMax: 512 * 1_024 * 1_024,
  outputsBytesMax: 512 * 1_024 * 1_024,

  // Stops.
  killAppendMs: 2 * secondMs,
  killSweepMs: 10 * secondMs,
  stopGraceMsMax: 10 * minuteMs,
} as const;

ok(LIMITS.staleBeats * LIMITS.beatEveryMsMin <= LIMITS.reapAfterMsMax, "a beat must fit a reap");
ok(LIMITS.stateBytesMax * 2 < LIMITS.entryBytesMax, "a manifest with its state must fit an entry");
ok(LIMITS.evidenceBytesMax + LIMITS.noteBytesMax < LIMITS.entryBytesMax, "evidence must fit");
ok(LIMITS.decisionAgeMsMax < LIMITS.storeBusyMs, "a decision must age out before a lock does");
ok(LIMITS.appendUnknownMs < LIMITS.storeBusyMs, "what is unknown is told before a lock is");
ok(LIMITS.retentionMsMin > LIMITS.commandMemoryMs, "command ids that count stay in the store");
ok(LIMITS.clockToleranceMsMax < LIMITS.clockStepMsMax, "a tolerated skew is less than a step");
ok(LIMITS.commandMemoryMs >= LIMITS.registerWithinMsMax, "a registration may be repeated safely");
ok((LIMITS.epochMax + 1) * (LIMITS.seqMax + 1) === 2 ** 53, "fences must be safe integers");
ok(LIMITS.lifetimeMsMax >= LIMITS.wallMsMax, "a wall bound may not outlive a lifetime");
ok(LIMITS.renewRecordsPerTtlMin >= 2, "a renewal must be recorded before half of a ttl is over");
ok(LIMITS.leaseTtlMsDefault <= LIMITS.leaseTtlMsMax, "a default must be within its bounds");
ok(LIMITS.lanesBytesMax * 2 <= LIMITS.entryBytesMax, "lanes must fit an entry with their command");
ok(LIMITS.leaseSearchWorkMax >= LIMITS.regionSearchWorkMax, "many regions, no less effort");
ok(LIMITS.alsoHeldBytesMax >= LIMITS.regionBytesMax, "one region must fit what counts as held");
ok(LIMITS.leaseBytesPerHolderMax >= LIMITS.regionBytesMax, "one region must fit a holder");
ok(LIMITS.waitSearchWorkMax < LIMITS.leaseSearchWorkMax, "a look at circles is a part of it");
ok(
  LIMITS.placeBytesPerHolderMax >= LIMITS.leaseBytesPerHolderMax,
  "what is held can be waited for",
);
ok(LIMITS.placeMovesMsMin * 2 < LIMITS.placeMs, "a place must be recorded twice in its time");
ok(LIMITS.rosterBytesMax * 2 <= LIMITS.entryBytesMax, "a roster must fit an entry");
ok(LIMITS.rosterInstancesMax <= LIMITS.rollInstancesMax, "what is expected must have room");
ok(LIMITS.rollEveryMsDefault <= LIMITS.rollEveryMsMax, "a default must be within its bounds");
ok(LIMITS.loginCodeMsMax >= LIMITS.tokenLifetimeMsMin, "a login code must be possible");
ok(LIMITS.outputBytesMax <= LIMITS.outputsBytesMax, "one output must fit among all");
