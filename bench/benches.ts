import { manyCallers, onePair } from "./admission.ts";
import { beats } from "./beats.ts";
import { manyClients } from "./clients.ts";
import { coldWorkers } from "./cold.ts";
import { compacting } from "./compaction/waiting.ts";
import { containedRun, containedStart } from "./sandbox/contained.ts";
import { deciding, decidingAtAll, indexing, meeting } from "./ground.ts";
import { folding, opening, replaying } from "./history.ts";
import { idleCrowd, idleSupervisor } from "./sandbox/idle.ts";
import { killCrowd, killForking, killing, killProof } from "./sandbox/killing.ts";
import { overhead } from "./sandbox/overhead.ts";
import { coldLease, coldLeaseLater } from "./lease/cold.ts";
import { handOver } from "./lease/hand-over.ts";
import { lanesFairly, lanesTogether, oneLaneFairly, oneLaneTogether } from "./lease/lanes.ts";
import { leasePairsLater, manyLeasePairs, oneLeasePair } from "./lease/pairs.ts";
import type { Bench } from "./measure.ts";
import { eventCrowd } from "./serving/crowd.ts";
import { entryToClient } from "./serving/entry.ts";
import { listingKnownWorkers, listingWorkers } from "./serving/workers.ts";
import { fences } from "./sandbox/fences.ts";
import { whatIf } from "./what-if.ts";

/** Every bench, in the order they run. */
export const BENCHES: readonly Bench[] = [
  onePair,
  manyCallers,
  replaying,
  folding,
  opening,
  compacting,
  whatIf,
  meeting,
  indexing,
  deciding,
  decidingAtAll,
  oneLeasePair,
  manyLeasePairs,
  leasePairsLater,
  lanesTogether,
  lanesFairly,
  oneLaneTogether,
  oneLaneFairly,
  handOver,
  beats,
  coldLease,
  coldLeaseLater,
  coldWorkers,
  containedStart,
  containedRun,
  fences,
  killing,
  killProof,
  killCrowd,
  killForking,
  manyClients,
  entryToClient,
  listingWorkers,
  listingKnownWorkers,
  eventCrowd,
  overhead,
  idleSupervisor,
  idleCrowd,
];
