// What the simulator's auditor sees of a loss: each check must see what it is there to see.
import { expect, test } from "vitest";
import { Auditor } from "../../sim/audit/auditor.ts";
import { Store } from "../../sim/world/store.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { GENESIS, type Draft } from "../../src/ports/journal.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { begin, create, exited, granted, OPERATOR, SIGNER, SUPERVISOR } from "../runtime/rig.ts";

const KEPT = 3;

interface Recovery {
  readonly epoch?: number;
  readonly rememberedSeq?: number;
  readonly seq?: number;
}

/** A fleet in whose kept part `a` came, and in whose lost part `a` ended and `b` came. */
async function record(): Promise<readonly Entry[]> {
  const journal = memoryJournal({ clock: new FakeClock() });
  const loop = await openLoop({ journal, signer: SIGNER, random: seededRandom(1) });
  await granted(loop.submit(create(), OPERATOR));
  await begin(loop, "a");
  await granted(loop.submit(exited("a"), SUPERVISOR));
  await begin(loop, "b");
  await loop.close();
  const entries = await journal.read(GENESIS, 100);
  return entries.filter(({ kind }) => kind !== "journal.signed");
}

/** The rules that are broken when a fleet goes on so after its loss, and takes workers over. */
async function rulesBrokenBy(
  { epoch = 1, rememberedSeq, seq }: Recovery,
  adopted: (manifestOf: (name: string) => Manifest) => readonly Manifest[] = () => [],
): Promise<readonly string[]> {
  const recorded = await record();
  const auditor = new Auditor();
  let last = { seq: 0, hash: GENESIS.hash };
  const entries = recorded.map((entry) => {
    const placed = { ...entry, seq: last.seq + 1, prev: last.hash };
    last = placed;
    return placed;
  });
  auditor.see(entries);
  auditor.forgetAfter(KEPT);
  const kept = entries[KEPT - 1];
  if (kept === undefined) throw new Error("entries are kept");
  const remembered_seq = rememberedSeq ?? last.seq;
  const hashes = { kept_hash: kept.hash, remembered_hash: last.hash };
  const data = { reason: "x", kept_seq: KEPT, ...hashes, remembered_seq, epoch };
  const command = { kind: "fleet.recover", data: { ...data, workers: [] } };
  const place = { seq: seq ?? remembered_seq + 1, prev: kept.hash, hash: "r0" };
  const told = { ...kept, ...place, id: "r", actor: OPERATOR };
  const recovered = { ...told, kind: "fleet.recovered", data, command };
  const followers = adopted((name) => manifestIn(entries, name)).map((manifest, index) => {
    const behind = { seq: recovered.seq + 1 + index, prev: `r${index}`, hash: `r${index + 1}` };
    const about = { kind: "worker.adopted", data: { manifest, parent: null }, command: null };
    return { ...recovered, ...behind, ...about };
  });
  auditor.see([recovered, ...followers] as unknown as readonly Entry[]);
  return auditor.violations.map(({ rule }) => rule);
}

function manifestIn(entries: readonly Entry[], name: string): Manifest {
  for (const entry of entries)
    if (entry.kind === "worker.admitted" && entry.data.manifest.name === name)
      return entry.data.manifest;
  throw new Error(`${name} was admitted`);
}

test("[SM2] a recovery above all that is remembered, in a new epoch, breaks no rule", async () => {
  expect(await rulesBrokenBy({}, (manifestOf) => [manifestOf("b")])).toEqual([]);
});

test("[SM2] a recovery that stays in its epoch is seen", async () => {
  expect(await rulesBrokenBy({ epoch: 0 })).toContain("I2");
});

test("[SM2] a recovery that does not stand right above what is remembered is seen", async () => {
  expect(await rulesBrokenBy({ seq: 50 })).toContain("I11");
});

test("[SM2] a worker that runs in the kept part, and is taken over, is seen", async () => {
  expect(await rulesBrokenBy({}, (manifestOf) => [manifestOf("a")])).toContain("I10");
});

test("[SM2, RV21] a loss that takes a recovery with it goes on above its fences", async () => {
  const auditor = new Auditor();
  const store = new Store({ clock: new FakeClock(), auditor });
  for (const { fleet, rules, id, actor, command, ...event } of await record()) {
    const draft = { fleet, rules, id, actor, command, event } as Draft;
    await store.append(await store.journal.head(), () => [draft]);
  }
  for (const id of ["first", "second", "third"]) await store.lose(KEPT, { id, workers: [] });
  expect(auditor.violations).toEqual([]);
  expect(auditor.state.epoch).toBe(3);
});
