// docs/coming-from.md against the public names of the Python package `replication` 2.0.0, and
// against the fields and verbs of the lane leases of `dos-kernel` 0.26.0, and against the topics,
// fields and routes of the worker registry of `decnet` 1.2.1. The names were listed by their users;
// nothing of them is needed to run this.
import { describe, expect, test } from "vitest";
import { HEALTH_NAMES } from "./health-names.ts";
import { LANE_LEASE_NAMES } from "./lane-lease-names.ts";
import { blankIn, pairsAbout, partOf, untriedIn } from "./pairs.ts";
import { NAMES } from "./replication-names.ts";
import { codesIn } from "./table.ts";

function codesUnder(heading: string): readonly string[] {
  return codesIn(
    partOf(heading)
      .replaceAll(/```.*?```/gs, "")
      .replaceAll("\n", " "),
  );
}

describe.each([
  {
    system: "replication",
    names: NAMES,
    alsoUnder: ["What has no successor", "Refusals"],
    pairsMin: 150,
  },
  {
    system: "dos-kernel",
    names: LANE_LEASE_NAMES,
    alsoUnder: ["Lane leases: what has no successor"],
    pairsMin: 120,
  },
  {
    system: "decnet",
    names: HEALTH_NAMES,
    alsoUnder: ["The worker registry: what has no successor"],
    pairsMin: 60,
  },
])(
  "[PP30] the page sets ours beside all of $system that is used",
  ({ system, names, alsoUnder, pairsMin }) => {
    const pairs = pairsAbout(system);
    const named = new Set([
      ...pairs.flatMap(({ theirs }) => theirs),
      ...alsoUnder.flatMap(codesUnder),
    ]);

    test.each(Object.entries(names))("all names of %s", (_, group) => {
      expect(group.filter((name) => !named.has(name))).toEqual([]);
    });

    test("no name of theirs that is none", () => {
      const known = new Set(Object.values(names).flat());
      const found = pairs.flatMap(({ theirs }) => theirs);
      expect(found.filter((name) => !known.has(name))).toEqual([]);
    });

    test("every row has something of ours, or says that there is nothing", () => {
      expect(pairs.length).toBeGreaterThan(pairsMin);
      expect(blankIn(pairs)).toEqual([]);
    });

    test("what it sets beside them stands in a program or command that is run", () => {
      expect(untriedIn(pairs)).toEqual([]);
    });
  },
);
