import { manyCallers, onePair } from "./admission.ts";
import { manyClients } from "./clients.ts";
import { coldWorkers } from "./cold.ts";
import { containedRun, containedStart } from "./sandbox/contained.ts";
import { deciding, decidingAtAll, indexing, meeting } from "./ground.ts";
import { folding, opening, replaying } from "./history.ts";
import { idleCrowd, idleSupervisor } from "./sandbox/idle.ts";
import { killCrowd, killForking, killing, killProof } from "./sandbox/killing.ts";
import { overhead } from "./sandbox/overhead.ts";
import { coldLease, coldLeaseLater } from "./lease/cold.ts";
import { lanesFairly, lanesTogether } from "./lease/lanes.ts";
import { leasePairsLater, manyLeasePairs, oneLeasePair } from "./lease/pairs.ts";
import type { Bench } from "./measure.ts";
import { fences } from "./sandbox/fences.ts";

/** Every bench, in the order they run. */
export const BENCHES: readonly Bench[] = [
  onePair,
  manyCallers,
  replaying,
  folding,
  opening,
  meeting,
  indexing,
  deciding,
  decidingAtAll,
  oneLeasePair,
  manyLeasePairs,
  leasePairsLater,
  lanesTogether,
  lanesFairly,
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
  overhead,
  idleSupervisor,
  idleCrowd,
];
