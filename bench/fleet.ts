import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Actor } from "../src/kernel/actor.ts";
import type { Command } from "../src/kernel/command.ts";
import type { Entry } from "../src/kernel/entry.ts";
import { DEFAULT_CONTRACT, type Contract } from "../src/kernel/fleet/contract.ts";
import { openSqliteJournal } from "../src/journal/sqlite/open.ts";
import type { Journal } from "../src/ports/journal.ts";
import { freshInstanceId } from "../src/runtime/base32.ts";
import type { Loop } from "../src/runtime/loop.ts";
import { openLoop } from "../src/runtime/open-loop.ts";
import { openSigner } from "../src/signing/signer.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";

/** Who gives the commands of a bench. */
export const OPERATOR: Actor = { kind: "operator", via: "library" };

const SECRET = "a secret of the bench, of no use elsewhere";
const random = systemRandom();

/** A contract that a bench does not run into. */
const ROOMY: Contract = { ...DEFAULT_CONTRACT, max_replicas: 100_000, max_total: 1_000_000_000 };

/** A fleet on SQLite in a folder of its own, the real loop on it. */
export interface BenchFleet {
  readonly folder: string;
  readonly journal: Journal;
  readonly loop: Loop;
  close(): Promise<void>;
}

/** A temporary folder for a bench; `remove` deletes it. */
export async function makeFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "stint-bench-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Opens the journal and the loop in a folder, and creates the fleet where there is none. */
export async function openFleetIn(folder: string): Promise<BenchFleet> {
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  const loop = await openLoop({ journal, signer: openSigner(SECRET), random });
  const { key } = openSigner(SECRET);
  if (loop.state().status === "none")
    await give(loop, {
      kind: "fleet.create",
      data: { fleet: "f-bench", name: "bench", contract: ROOMY, key },
    });
  return {
    folder,
    journal,
    loop,
    async close() {
      await loop.close();
      await journal.close();
    },
  };
}

/** Submits a command that must not be refused, and answers its entries. */
export async function give(loop: Loop, command: Command): Promise<readonly Entry[]> {
  const answer = await loop.submit(command, OPERATOR);
  if (!answer.ok) throw new Error(`${command.kind}: ${answer.refusal.message}`);
  return answer.entries;
}

/** Admits a root and registers it: two commands, one after the other. */
export async function carryPair(loop: Loop): Promise<readonly Entry[]> {
  const instance = freshInstanceId(random);
  const admitted = await give(loop, {
    kind: "worker.admit",
    data: { instance, name: "pair", parent: null, reason: "bench", state: {}, budget: {} },
  });
  const [entry] = admitted;
  if (entry?.kind !== "worker.admitted") throw new Error("an admission must be one entry");
  const { manifest } = entry.data;
  const registered = await give(loop, {
    kind: "worker.register",
    data: { manifest, envelope: "valid" },
  });
  return [...admitted, ...registered];
}

/** Ends workers again, so that a bench does not measure a growing fleet. */
export async function endAll(loop: Loop): Promise<void> {
  const ended = [...loop.state().workers.keys()].map((worker) =>
    give(loop, {
      kind: "worker.exited",
      data: { worker, evidence: { grade: "settled", facts: {} }, outcome: { exit_code: 0 } },
    }),
  );
  await Promise.all(ended);
}
