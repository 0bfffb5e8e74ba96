import { expect, test } from "vitest";
import type { Loss } from "../../../src/library/lease/line.ts";
import { Holdings } from "../../../src/library/relay/holdings.ts";

const EPOCH = 2 ** 40;

/** Holdings with the leases of some fences, and what each was told. */
function holding(...fences: readonly number[]): { holdings: Holdings; told: (string | null)[] } {
  const holdings = new Holdings();
  const told: (string | null)[] = fences.map(() => null);
  for (const [index, fence] of fences.entries())
    holdings.add({ id: `l-${fence % EPOCH}`, fence }, ({ by }: Loss) => (told[index] = by));
  return { holdings, told };
}

test("[LB116] what was held by an entry and is not named any more is lost", () => {
  const { holdings, told } = holding(5, 7, 12);
  const kept = { lease: "l-7", fence: 7 };
  holdings.hear({ kind: "leases", at_seq: 11, held: [kept] });
  // The third was granted after that was said.
  expect(told).toEqual(["ended", null, null]);
  holdings.hear({ kind: "leases", at_seq: 12, held: [kept] });
  expect(told).toEqual(["ended", null, "ended"]);
});

test("[LB116] a lease that is named under another fence is held by another", () => {
  const { holdings, told } = holding(EPOCH + 5);
  holdings.hear({ kind: "leases", at_seq: 9, held: [{ lease: "l-5", fence: EPOCH + 5 }] });
  expect(told).toEqual([null]);
  holdings.hear({ kind: "leases", at_seq: 9, held: [{ lease: "l-5", fence: EPOCH + 9 }] });
  expect(told).toEqual(["ended"]);
});

test("[LB116] a loss that was heard before the lease was in hand is told with it", () => {
  const { holdings } = holding();
  holdings.hear({ kind: "leases", at_seq: 9, held: [] });
  let by: string | undefined;
  holdings.add({ id: "l-8", fence: 8 }, (loss) => (by = loss.by));
  expect(by).toBe("ended");
  let later: string | undefined;
  const stop = holdings.add({ id: "l-10", fence: 10 }, (loss) => (later = loss.by));
  expect(later).toBeUndefined();
  stop();
  holdings.loseAll("killed");
  expect(later).toBeUndefined();
});
