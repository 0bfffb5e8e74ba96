import { writeDuration } from "../../config/amount.ts";
import type { Call } from "../call.ts";

/** Says to people that a call waits, and in which place of the queue. */
export function tellingPlace(call: Call, waitMs = 0): (place: string) => void {
  return (place) =>
    call.note(
      `stint: waits in ${place}, ${writeDuration(waitMs)} at the most; \`stint lease wait-list\` ` +
        "shows for whom",
    );
}
