import { manyCallers, onePair } from "./admission.ts";
import { folding, opening, replaying } from "./history.ts";
import type { Bench } from "./measure.ts";

/** Every bench, in the order they run. */
export const BENCHES: readonly Bench[] = [onePair, manyCallers, replaying, folding, opening];
