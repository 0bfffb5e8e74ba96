import { openSqliteJournal } from "../../../../src/journal/sqlite/open.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { admit, create, enact, kill, pause, resume, start } from "../../../support/scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { idAfter, Stage, stage } from "../stage.ts";

const DAY_MS = 86_400_000;

/** What is refused for the state of the fleet, or of the command that is given. */
export const FLEET: Scenarios = {
  fleet_unknown: {
    play: async () => {
      // As an `init` leaves it that was killed before its first entry.
      const begun = new Stage();
      const journal = await openSqliteJournal({ folder: begun.stateDir, clock: new FakeClock() });
      await journal.close();
      return begun.asks(pause);
    },
    says: /must hold a fleet, it is empty: `stint init` begins one$/,
  },
  fleet_exists: {
    play: async () => (await stage()).asks(create()),
    says: /must be empty, it holds the fleet f-plays$/,
  },
  fleet_killed: {
    play: async () => (await (await stage()).given(kill)).asks(resume),
    says: /must be alive, it was killed for good$/,
  },
  fleet_paused: {
    play: async () => (await (await stage()).given(pause)).asks(admit("a")),
    says: /must be open, it is paused$/,
  },
  contract_invalid: {
    play: async () => (await stage()).asks(enact({ stop: [{ name: "deep", when: "depth" }] })),
    says: /^stop condition "deep": condition must be bool, got int$/,
  },
  workers_live: {
    play: async () => (await (await stage()).given(start("a"))).call(["down", "--json"]),
    says: /must have ended first, 1 worker live/,
  },
  rate_limited: {
    play: async () => {
      const strict = await stage({ contract: { refusals_per_minute: 1 } });
      await strict.asks(admit("a", { depth: 5 }));
      return strict.asks(admit("a", { depth: 5 }));
    },
    says: /may be refused at most 1 times in 60000 ms, its count is 1: try again in \d+ ms$/,
  },
  command_mismatch: {
    play: async () => (await (await stage()).given(pause)).asks(resume, { id: idAfter(1) }),
    says: /must be used for one command only, it was for another$/,
  },
  command_expired: {
    play: async () => {
      const old = await stage({ agoMs: DAY_MS + 60_000 });
      return (await old.given(pause)).asks(pause, { id: idAfter(1) });
    },
    says: /must have been decided at most 86400000 ms ago, it was 864\d{5} ms ago$/,
  },
};
