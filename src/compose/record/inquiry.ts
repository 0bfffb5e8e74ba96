// One of the files that know adapters: what asking about the record needs, beside the state also
// the journal behind it. Nothing here writes an entry.

import { openSqliteJournal } from "../../journal/sqlite/open.ts";
import type { WhySeat } from "../../library/inquiry/why.ts";
import { Refused } from "../../library/refused.ts";
import { readOn } from "../../runtime/place.ts";
import { SYSTEM_TIMERS } from "../../runtime/timers.ts";
import { systemClock } from "../../system/clock.ts";
import { lookAtGround } from "../../system/ground/ground.ts";
import { placeIn } from "../reading.ts";

/** A fleet's journal and what is known of its end; whoever opened it closes it. */
export interface OpenInquiry {
  readonly seat: WhySeat;
  close(): Promise<void>;
}

/**
 * Opens what a state folder holds, to be asked about. Throws the faults of the store, and `Refused`
 * `fleet_unknown` where no fleet was begun in it.
 */
export async function openInquiry(stateDir: string): Promise<OpenInquiry> {
  const journal = await openSqliteJournal({
    folder: stateDir,
    clock: systemClock(),
    create: false,
  });
  try {
    let place = await placeIn(journal, stateDir);
    if (place.state.fleet === null) throw noFleetYet();
    const look = async (): Promise<typeof place.state> => {
      place = await readOn(journal, place);
      journal.setClockTolerance(place.state.contract.clock_tolerance_ms);
      return place.state;
    };
    const loop = { look, state: () => place.state, head: () => place.head };
    const store = { journal, address: { kind: "sqlite", dir: stateDir } as const };
    const seat = { loop, store, timers: SYSTEM_TIMERS, lookAtGround };
    return { seat, close: () => journal.close() };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function noFleetYet(): Refused {
  const message = "the journal must hold a fleet, it is empty: `stint init` begins one";
  return new Refused({ code: "fleet_unknown", message, facts: {} });
}
