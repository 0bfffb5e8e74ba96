// What leases are worth after a loss, and in a fleet that was imported: two may believe that they
// hold the same ground then, and fences tell who is right.
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exportJournal, importJournal, openFleet, Refused, sqlite, type Fleet } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { recoverFleet } from "../../src/compose/recovery.ts";
import { freshFolder } from "../journal/fixtures/folder.ts";
import { makeSite } from "./contest.ts";
import { auditLeases, readEntries } from "./outside-journal.ts";

const HOUR = { ttlMs: 3_600_000 };
const FILES = ["journal.db", "journal.db-wal"] as const;

async function open(dir: string): Promise<Fleet> {
  const fleet = await openFleet({ store: sqlite({ dir }), steward: false, supervisor: "none" });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** The code by which something is refused; `granted` when it is not. */
async function codeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "granted";
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

/** Writes a fleet's journal to a file. */
async function exported(fleet: Fleet, dir: string): Promise<string> {
  const path = join(freshFolder(), "exported.jsonl");
  await fleet.close();
  for await (const line of exportJournal(sqlite({ dir }))) appendFileSync(path, line);
  return path;
}

/** Imports a journal into a folder, and puts the secret beside it. */
async function takeOver(
  path: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await importJournal(sqlite({ dir: to }), { path });
  cpSync(join(from, "secret"), join(to, "secret"));
}

test("[LP12] whose grant was lost is never right against who got the ground since", async () => {
  const dir = await makeSite();
  const fleet = await open(dir);
  const kept = await fleet.acquire({ holder: "kept", region: "docs/**", ...HOUR });
  const backup = FILES.map((name) => readFileSync(join(dir, name)));
  const lost = await fleet.acquire({ holder: "lost", region: "src/**", ...HOUR });
  await fleet.acquire({ holder: "lost", region: "lib/**", ...HOUR });
  // Given back in the part that is lost: by what was kept it is held still.
  await kept.release();
  await fleet.close();
  rmSync(join(dir, "journal.db-shm"), { force: true });
  for (const [index, name] of FILES.entries()) writeFileSync(join(dir, name), backup[index] ?? "");
  await expect(openFleet({ store: sqlite({ dir }) })).rejects.toMatchObject({
    code: "journal_truncated",
  });
  await recoverFleet(dir, { operator: "anna" });

  const after = await open(dir);
  expect(after.leases().map(({ holder }) => holder)).toEqual(["kept"]);
  // Nobody gets any ground before an operator has seen to who worked under what was lost.
  expect(await codeOf(after.acquire({ holder: "next", region: "src/**" }))).toBe("fleet_paused");
  const credential = { token: lost.token ?? "", fence: lost.fence };
  expect(await codeOf(after.lease(lost.id, credential).renew())).toBe("lease_unknown");
  // Who is known keeps his own meanwhile.
  await after.lease(kept.id, { token: kept.token ?? "" }).renew();
  await after.resume();
  const next = await after.acquire({ holder: "next", region: "src/**", ...HOUR });
  expect(next.fence).toBeGreaterThan(lost.fence + 1);
  expect(Number(next.id.slice(2))).toBeGreaterThan(Number(lost.id.slice(2)) + 1);
  expect(await codeOf(after.lease(lost.id, credential).renew())).toBe("lease_unknown");
  const cwd = dirname(dir);
  const [stale] = await after.check("src/a", {
    holder: "lost",
    fence: lost.fence,
    cwd,
  });
  expect(stale).toMatchObject({ allowed: false, reason: "fence_stale", holder: "next" });
  const [right] = await after.check("src/a", {
    holder: "next",
    fence: next.fence,
    cwd,
  });
  expect(right).toMatchObject({ allowed: true, reason: "held_by_you" });
  expect(auditLeases(readEntries(dir)).wrongs).toEqual([]);
  expect((await after.audit()).problems).toEqual([]);
});

test("[LP13] an imported fleet gives no fence that its origin gives in its epoch", async () => {
  const base = freshFolder();
  const [from, to] = [await makeSite(), join(base, "to", ".stint")];
  const first = await open(from);
  const held = await first.acquire({ holder: "ann", region: "docs/**", ...HOUR });
  const ended = await first.acquire({ holder: "ann", region: "lib/**", ...HOUR });
  await ended.release();
  const path = await exported(first, from);
  await takeOver(path, { from, to });
  const [origin, copy] = [await open(from), await open(to)];
  expect(copy.status).toBe("paused");
  // What was live at the export is live in both, for whoever shows its token.
  expect(copy.leases().map(({ id, fence }) => [id, fence])).toEqual([[held.id, held.fence]]);
  const token = held.token ?? "";
  await copy.lease(held.id, { token }).renew({ ttlMs: 7_200_000 });
  expect(await codeOf(copy.lease(held.id, { token: "x" }).renew())).toBe("holder_mismatch");
  expect(await codeOf(copy.acquire({ holder: "bob", region: "src/**" }))).toBe("fleet_paused");

  // The origin goes on all the same, and somebody resumes the copy.
  const there: number[] = [];
  for (let count = 0; count < 20; count += 1)
    there.push((await origin.acquire({ holder: "bob", region: `src/${count}`, ...HOUR })).fence);
  await copy.resume();
  const here = await copy.acquire({ holder: "bob", region: "src/**", ...HOUR });
  expect(here.fence).toBeGreaterThan(Math.max(...there));
  expect(await codeOf(copy.acquire({ holder: "cleo", region: "docs/a" }))).toBe("conflict");
  const given = await copy.lease(held.id, { token }).handOver({ to: "cleo" });
  expect(given.fence).toBeGreaterThan(here.fence);
  // Who holds a lease of the origin is a stranger here, whatever its fence.
  const asked = { holder: "bob", fence: there[0] ?? 0, cwd: dirname(to) };
  expect(await copy.check("src/0", asked)).toMatchObject([{ reason: "fence_stale" }]);
  expect((await copy.audit()).problems).toEqual([]);
  expect(auditLeases(readEntries(to)).wrongs).toEqual([]);

  // Exported and imported once more it is above this one, too.
  const again = join(base, "again", ".stint");
  await takeOver(await exported(copy, to), { from, to: again });
  const third = await open(again);
  await third.resume();
  const last = await third.acquire({ holder: "dan", region: "new/**" });
  expect(last.fence).toBeGreaterThan(given.fence + 2 ** 39);
});
