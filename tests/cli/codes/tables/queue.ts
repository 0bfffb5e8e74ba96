import { LIMITS } from "../../../../src/kernel/limits.ts";
import { acquire, wait } from "../../../support/lease-scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { stage } from "../stage.ts";

/** Asks for ground, and waits for it. */
const waiting = (holder: string, region: string, forTime: string): readonly string[] => {
  const asked = ["--holder", holder, "--region", region, "--wait", forTime];
  return ["lease", "acquire", ...asked, "--json"];
};

/** What is refused of waiting. */
export const QUEUE: Scenarios = {
  wait_deadlock: {
    play: async () => {
      const on = await (await stage()).given(acquire("ann", "a"), acquire("bob", "b"));
      return (await on.given(wait("ann", "b"))).call(waiting("bob", "a", "1m"));
    },
    says: /got a circle: "bob" waits for "ann" \(l-\d+\), "ann" waits for "bob" \(l-\d+\)$/,
  },
  wait_timeout: {
    play: async () =>
      (await (await stage()).given(acquire("ann", "a"))).call(waiting("bob", "a", "100ms")),
    says: /^what q-\d+ waited for must be had within 100 ms, in its way are "\S+" \(l-\d+\)$/,
  },
  place_ended: {
    play: async () =>
      (await stage()).call(["lease", "wait-cancel", "q-999", "--reason", "x", "--json"]),
    says: /^place q-999 in the queue must be somebody's, it is nobody's$/,
  },
  queue_full: {
    play: async () => {
      const all = Array.from({ length: LIMITS.placesPerHolderMax }, (_, index) =>
        wait("bob", "a", { key: `k${index}` }),
      );
      const on = await (await stage()).given(acquire("ann", "a"), ...all);
      return on.call(waiting("bob", "a", "1m"));
    },
    says: /^a holder must wait in at most 64 places, "bob" does in 64$/,
  },
};
