import {
  admit,
  ask,
  exited,
  idOf,
  quarantine,
  start,
  stop,
  unquarantine,
} from "../../../support/scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { stage } from "../stage.ts";

const HOUR_MS = 3_600_000;

const checkpoint = ask("worker.checkpoint", { worker: idOf("a"), state: {} });

/** What is refused for the state of the worker that is meant. */
export const WORKER: Scenarios = {
  worker_unknown: {
    play: async () => (await stage()).asks(stop("z")),
    says: new RegExp(`must be named, none has the id ${idOf("z")}$`),
  },
  worker_ended: {
    play: async () => (await (await stage()).given(start("a"), exited("a"))).asks(stop("a")),
    says: new RegExp(`${idOf("a")} must be alive, it has ended$`),
  },
  worker_not_running: {
    play: async () => (await (await stage()).given(admit("a"))).asks(checkpoint),
    says: new RegExp(`${idOf("a")} must be running, it is admitted$`),
  },
  worker_quarantined: {
    play: async () => (await (await stage()).given(start("a"), quarantine("a"))).asks(checkpoint),
    says: new RegExp(`${idOf("a")} must not be in quarantine, it is$`),
  },
  worker_not_quarantined: {
    play: async () => (await (await stage()).given(start("a"))).asks(unquarantine("a")),
    says: new RegExp(`${idOf("a")} must be in quarantine, it is not$`),
  },
  worker_expired: {
    play: async () => {
      const brief = start("a", { budget: { lifetime_ms: 60_000 } });
      return (await (await stage({ agoMs: HOUR_MS })).given(brief)).asks(checkpoint);
    },
    says: new RegExp(`${idOf("a")} must be within its lifetime, which ended at \\d{13}`),
  },
};
