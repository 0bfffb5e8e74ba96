import { manyCallers, onePair } from "./admission.ts";
import { manyClients } from "./clients.ts";
import { coldWorkers } from "./cold.ts";
import { containedRun, containedStart } from "./contained.ts";
import { deciding, decidingAtAll, indexing, meeting } from "./ground.ts";
import { folding, opening, replaying } from "./history.ts";
import { idleSupervisor } from "./idle.ts";
import { killing, killProof } from "./killing.ts";
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
  manyClients,
  idleSupervisor,
];
