import { admit, idOf, observe, quarantine, start } from "../../../support/scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { stage } from "../stage.ts";

const AT_ONCE = 600_000;
const below = admit("b", { under: "p" });

/** What an admission is refused with. */
export const ADMISSION: Scenarios = {
  parent_unknown: {
    play: async () => (await stage()).asks(admit("b", { under: "z" })),
    says: new RegExp(`must be a worker, none has the id ${idOf("z")}$`),
  },
  parent_not_running: {
    play: async () => (await (await stage()).given(admit("p"))).asks(below),
    says: new RegExp(`must be running, ${idOf("p")} is admitted$`),
  },
  parent_quarantined: {
    play: async () => (await (await stage()).given(start("p"), quarantine("p"))).asks(below),
    says: new RegExp(`must not be in quarantine, ${idOf("p")} is$`),
  },
  parent_stale: {
    play: async () => {
      const silent = observe("p", { silent_ms: 60_000 });
      return (await (await stage()).given(start("p"), silent)).asks(below);
    },
    says: new RegExp(`must beat in time, ${idOf("p")} has missed beats$`),
  },
  max_replicas: {
    play: async () => {
      const full = await stage({ contract: { max_replicas: 1 } });
      return (await full.given(start("a"))).asks(admit("b"));
    },
    says: /must stay at most 1, there are 1$/,
  },
  max_total: {
    play: async () => {
      const spent = await stage({ contract: { max_total: 1 } });
      return (await spent.given(start("a"))).asks(admit("b"));
    },
    says: /must stay at most 1, there were 1$/,
  },
  cooldown: {
    play: async () => {
      const cooling = await stage({ contract: { cooldown_ms: AT_ONCE } });
      return (await cooling.given(start("p"), start("a", { under: "p" }))).asks(below);
    },
    says: /must wait 600000 ms between admissions, it waited \d+ ms$/,
  },
  depth_mismatch: {
    play: async () => (await stage()).asks(admit("a", { depth: 5 })),
    says: /must be the journal's 0, got 5$/,
  },
  max_depth: {
    play: async () => {
      const flat = await stage({ contract: { max_depth: 0 } });
      return (await flat.given(start("p"))).asks(below);
    },
    says: /must be at most 0, got 1$/,
  },
  rights_exceeded: {
    play: async () => {
      const wider = admit("b", { under: "p", network: "open" });
      return (await (await stage()).given(start("p"))).asks(wider);
    },
    says: /must be at most the parent's "controller", got "open"$/,
  },
  region_invalid: {
    play: async () => (await stage()).asks(admit("a", { regions: ["src//api"] })),
    says: /must have no empty segment, got .* in "src\/\/api"$/,
  },
  region_too_large: {
    play: async () => (await stage()).asks(admit("a", { regions: ["{a,b}".repeat(11)] })),
    says: /must have at most 256 alternatives, got /,
  },
  budget_exceeded: {
    play: async () => {
      const more = admit("b", { under: "p", budget: { processes: 9 } });
      return (await (await stage()).given(start("p", { budget: { processes: 8 } }))).asks(more);
    },
    says: /^processes must be at most 8, .*, got 9$/,
  },
  stop_condition: {
    play: async () => {
      const stop = [{ name: "enough", when: "active_count >= 1" }];
      return (await (await stage({ contract: { stop } })).given(start("a"))).asks(admit("b"));
    },
    says: /"enough" must be false, got true$/,
  },
  containment_too_weak: {
    play: async () => (await stage()).asks(admit("a", { degraded: ["same_user"] })),
    says: /must name "same_user" for this sandbox, it names \[\]$/,
  },
  instance_taken: {
    play: async () => (await (await stage()).given(admit("a"))).asks(admit("a")),
    says: new RegExp(`must be new, ${idOf("a")} is taken$`),
  },
};
