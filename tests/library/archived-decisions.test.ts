import { expect, test } from "vitest";
import { wholeDecisions, type ArchivedEntry } from "../../src/library/recovery/archived.ts";
import type { Head } from "../../src/ports/journal.ts";
import { replay } from "../../src/runtime/replay.ts";
import { begin, granted, idOf, OPERATOR, PAUSE, Rig } from "../runtime/rig.ts";

const UNKNOWN: Head = { seq: 1_000, hash: "f".repeat(64) };

test("[AX12] of what segments have only whole decisions are taken up", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  for (const name of ["b", "c"]) await begin(loop, name, { parent: idOf("a") });
  const { head: kept, state } = await replay(rig.journal);
  await granted(loop.submit(PAUSE, OPERATOR));
  const data = { worker: idOf("a"), tree: true, reason: "requested" } as const;
  const { entries: stops } = await granted(loop.submit({ kind: "worker.stop", data }, OPERATOR));
  expect(stops).toHaveLength(3);
  const stored = await rig.journal.readStored(kept.seq, 100);
  const entries = (await rig.entries()).slice(-stored.length);
  const found = entries.map((entry, index): ArchivedEntry => {
    const { text, hash } = stored[index] ?? { text: "", hash: "" };
    return { entry, stored: { text, hash } };
  });
  const take = (count: number, remembered = UNKNOWN): number =>
    [...wholeDecisions(found.slice(0, count), { state, remembered })].length;
  // The pause, and the stop of three.
  expect([0, 1, 2, 3, 4].map((count) => take(count))).toEqual([0, 1, 1, 1, 4]);
  const cut = found[2]?.entry ?? kept;
  expect(take(3, { seq: cut.seq, hash: cut.hash })).toBe(3);
  await loop.close();
});
