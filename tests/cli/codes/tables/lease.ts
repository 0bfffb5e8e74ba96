import { acquire, enactLanes, leaseOf, release } from "../../../support/lease-scenario.ts";
import { exited, idOf, observe, quarantine, start } from "../../../support/scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { stage, type Stage } from "../stage.ts";

const LANES = enactLanes([
  { name: "api", region: ["src/api/**"], aliases: ["http"] },
  { name: "tests", region: ["tests/**"], slots: 1 },
]);

const json = (...words: readonly string[]): readonly string[] => ["lease", ...words, "--json"];

/** Acquires for a holder as somebody types it. */
const acquiring = (holder: string, ...words: readonly string[]): readonly string[] =>
  json("acquire", "--holder", holder, ...words);

const ANY = ["--region", "a"];

/** The id of the newest lease of a short name on a stage. */
const held = (on: Stage, name: string): string => leaseOf(on.play, name).id;

/** What is refused of ground: for its holder, and for what is in the way. */
export const LEASE: Scenarios = {
  holder_ended: {
    play: async () => {
      const on = await (await stage()).given(start("a"), exited("a"));
      return on.call(acquiring(idOf("a"), ...ANY));
    },
    says: new RegExp(`^the holder must be running, ${idOf("a")} is stopped$`),
  },
  holder_quarantined: {
    play: async () => {
      const on = await (await stage()).given(start("a"), quarantine("a"));
      return on.call(acquiring(idOf("a"), ...ANY));
    },
    says: new RegExp(`^the holder must not be in quarantine, ${idOf("a")} is$`),
  },
  holder_stale: {
    play: async () => {
      const silent = observe("a", { silent_ms: 3_600_000, watched_ms: 3_600_000 });
      const on = await (await stage()).given(start("a"), silent);
      return on.call(acquiring(idOf("a"), ...ANY));
    },
    says: new RegExp(`^the holder must beat in time, ${idOf("a")} has missed beats$`),
  },
  holder_mismatch: {
    play: async () => {
      const on = await (await stage()).given(acquire("ann", "a"));
      return on.call(json("release", held(on, "ann"), "--token", "guessed"));
    },
    says: /must be acted on by its holder "ann", got a token that is not this lease's$/,
  },
  lane_unknown: {
    play: async () => (await (await stage()).given(LANES)).call(acquiring("ann", "--lane", "apy")),
    says: /^a lane must be enacted, none is "apy"; did you mean "api"\?$/,
  },
  lease_condition: {
    play: async () => {
      const when = 'holder.kind == "outside"';
      const contract = { lease_deny_when: [{ name: "workers-only", when }] };
      return (await stage({ contract })).call(acquiring("ann", ...ANY));
    },
    says: /^condition on leases "workers-only" must be false, got true$/,
  },
  lease_unknown: {
    play: async () => (await stage()).call(json("renew", "l-999", "--token", "t")),
    says: /^a lease of this fleet must be named, none has the id l-999$/,
  },
  lease_ended: {
    play: async () => {
      const on = await (await stage()).given(acquire("ann", "a"));
      const id = held(on, "ann");
      await on.given(release("ann"));
      return on.call(json("renew", id, "--token", "t"));
    },
    says: /^lease l-\d+ must be live, it was released by operator \S+ at 20\S+Z$/,
  },
  conflict: {
    play: async () => {
      const on = await (await stage()).given(acquire("ann", "src/**"));
      return on.call(acquiring("bob", "--region", "src/a.ts"));
    },
    says: /^the ground must be free, "ann" holds "src\/a.ts" as exclusive by l-\d+ until 20\S+Z$/,
  },
  slots_full: {
    play: async () => {
      const on = await (await stage()).given(LANES, acquire("ann", { lanes: ["tests"] }));
      return on.call(acquiring("bob", "--lane", "tests"));
    },
    says: /^lane "tests" must have a free slot of its 1, 1 held, by "ann"; the first ends .+Z$/,
  },
  fence_stale: {
    play: async () => {
      const on = await stage();
      const { data } = (await on.call(acquiring("ann", ...ANY))).json();
      const { lease_id: id, token } = data;
      return on.call(json("renew", id, "--token", token, "--fence", "1"));
    },
    says: /^the fence must be that of l-\d+, \d+, got 1$/,
  },
  not_writable: {
    play: async () => {
      const on = await (await stage()).given(acquire("ann", "src/**"));
      return on.call(json("check", "src/a.ts", "b.ts", "--holder", "bob"));
    },
    says: /^every path must be writable, 1 of 2 paths may not be written: "src\/a.ts" is held by/,
  },
  lanes_invalid: {
    play: async () => {
      const two = enactLanes([
        { name: "api", region: ["a"] },
        { name: "web", region: ["b"], aliases: ["api"] },
      ]);
      return (await stage()).asks(two);
    },
    says: /^names of lanes must each be of one lane, "api" is of two$/,
  },
};
