import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_GROUND_RULES } from "../../../src/kernel/lane/lane.ts";
import { bookOf, heldAt, heldCountAt, leasesOverBy } from "../../../src/kernel/lease/book.ts";
import { checkRoom } from "../../../src/kernel/lease/holding.ts";
import { isHeldAt } from "../../../src/kernel/lease/lease.ts";
import { checkConflicts } from "../../../src/kernel/lease/conflict.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { LAST } from "../../../src/kernel/queue/line.ts";
import { newEffort } from "../../../src/kernel/region/effort.ts";
import { create, given } from "../../support/scenario.ts";
import { leaseOf, parsed } from "../ground/live.ts";

test("[LC4] how many leases live is what a scan counts, at every instant", () => {
  const ends = array(integer({ min: 1, max: 20 }), { maxLength: 30 });
  assert(
    property(ends, integer({ min: 0, max: 21 }), (made, atMs) => {
      const leases = made.map((expires_at_ms, index) => ({
        ...leaseOf(`l-${index + 1}`, [`f/${index}`]),
        expires_at_ms,
      }));
      const book = bookOf(false, DEFAULT_GROUND_RULES, leases);
      const scanned = leases.filter((lease) => isHeldAt(lease, atMs)).map(({ id }) => id);
      expect(heldCountAt(book, atMs)).toBe(scanned.length);
      expect([...heldAt(book, atMs)].map(({ id }) => id).toSorted()).toEqual(scanned.toSorted());
      expect([...leasesOverBy(book, atMs)]).toHaveLength(leases.length - scanned.length);
    }),
  );
});

test("[LS19] a fleet has no more leases than the limit, those that are over not counted", () => {
  const { state } = given(create()).play;
  const all = Array.from({ length: LIMITS.leasesMax }, (_, index) => ({
    ...leaseOf(`l-${index + 1}`, ["f"]),
    expires_at_ms: index === 0 ? 10 : 20,
  }));
  const full = { ...state, book: bookOf(false, DEFAULT_GROUND_RULES, all) };
  const asked = { holder: { worker: "w-bbbb" }, region: ["g"] };
  expect(checkRoom(full, asked, 9)).toMatchObject({
    code: "limit_exceeded",
    facts: { field: "leases" },
  });
  expect(checkRoom(full, asked, 10)).toBeNull();
});

test("[LS19] of a holder's leases those that are over do not count", () => {
  const { state } = given(create()).play;
  const all = Array.from({ length: LIMITS.leasesPerHolderMax }, (_, index) => ({
    ...leaseOf(`l-${index + 1}`, ["f"]),
    expires_at_ms: index === 0 ? 10 : 20,
  }));
  const full = { ...state, book: bookOf(false, DEFAULT_GROUND_RULES, all) };
  const asked = { holder: { worker: "w-aaaa" }, region: ["g"] };
  const facts = { field: "leases_of_holder" };
  expect(checkRoom(full, asked, 9)).toMatchObject({ code: "limit_exceeded", facts });
  expect(checkRoom(full, asked, 10)).toBeNull();
});

/** What somebody wants of ground that nobody else has. */
const WISH = {
  holder: { worker: "w-bbbb" },
  mode: "exclusive",
  region: parsed(["src/**"], false),
  lane: null,
  alone: false,
  lenders: new Set<string>(),
  alsoHeld: [],
  effort: newEffort(),
  rank: LAST,
} as const;

test("[LS7] what is over is in nobody's way, though its lane runs alone", () => {
  const held = leaseOf("l-1", ["docs/**"], { alone: true });
  const book = bookOf(false, DEFAULT_GROUND_RULES, [held]);
  const refusal = checkConflicts(book, WISH, held.expires_at_ms - 1);
  expect(refusal).toMatchObject({ code: "conflict", facts: { alone: true } });
  expect(checkConflicts(book, WISH, held.expires_at_ms)).toBeNull();
});

test("[LS3] ground that only older rules could read is in everybody's way", () => {
  const held = leaseOf("l-1", ["a//b"]);
  const book = bookOf(false, DEFAULT_GROUND_RULES, [held]);
  const refusal = checkConflicts(book, WISH, held.expires_at_ms - 1);
  expect(refusal).toMatchObject({ code: "region_too_large", facts: { lease_id: "l-1" } });
  expect(checkConflicts(book, WISH, held.expires_at_ms)).toBeNull();
});
