import { expect, test } from "vitest";
import { Fault } from "../../src/ports/fault.ts";
import type { Journal } from "../../src/ports/journal.ts";
import { FaultyJournal } from "./faulty-journal.ts";
import { begin, granted, idOf, KILL, note, OPERATOR, Rig } from "./rig.ts";

/** A journal in whose archive the entries about one worker cannot be read. */
class PartlyBroken extends FaultyJournal {
  override about(...args: Parameters<Journal["about"]>): ReturnType<Journal["about"]> {
    if (args[0] !== idOf("gone")) return super.about(...args);
    return Promise.reject(new Fault("archive_broken", "a segment must be there, it is missing"));
  }
}

test("[CO25] who needs a broken segment fails alone, and a kill beside it is carried", async () => {
  const rig = new Rig((journal) => new PartlyBroken(journal));
  const loop = await rig.found();
  await begin(loop, "a");
  // In one turn, so that they share an append.
  const [fine, broken, killed] = await Promise.allSettled([
    loop.submit(note("a"), OPERATOR),
    loop.submit(note("gone"), OPERATOR),
    loop.submit(KILL, OPERATOR),
  ]);
  expect(broken).toMatchObject({ status: "rejected", reason: { code: "archive_broken" } });
  expect(fine.status).toBe("fulfilled");
  expect(killed).toMatchObject({ status: "fulfilled", value: { ok: true } });
  expect(loop.state().status).toBe("killed");
  expect((await rig.kinds()).filter((kind) => kind === "fleet.killed")).toHaveLength(1);
  await granted(loop.submit(note("a"), OPERATOR));
  await loop.close();
});
