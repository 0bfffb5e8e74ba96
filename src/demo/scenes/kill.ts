import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Receipt } from "../../index.ts";
import { readHoldings } from "../outside/holdings.ts";
import { isSignedBy } from "../outside/signature.ts";
import { callStint, recordIn } from "../stage/command-line.ts";
import type { Scene } from "../stage/stage.ts";

/** The fleet is killed; its receipt is held against who was there and who is left. */
export const kill: Scene<Receipt> = {
  checks: ["killed", "receipt"],
  async play({ census, fleet, checklist, rung }) {
    const before = census.look();
    const running = [...new Set(before.flatMap(({ worker }) => worker ?? []))];
    const receipt = await fleet.kill({ reason: "the demo is over" });
    const left = census.left();
    checklist.judge("killed", {
      beforeCount: before.length,
      leftCount: left.length,
      everCount: census.seenCount,
    });
    checklist.judge("receipt", {
      rung,
      isProven: receipt.proven,
      stoppedCount: receipt.stoppedCount,
      survivorCount: receipt.survivorCount,
      sweptCount: receipt.grades.swept ?? 0,
      why: receipt.why,
      listed: receipt.workers.map(({ id }) => id),
      running,
      ended: running.filter((id) => !left.some(({ worker }) => worker === id)),
    });
    return receipt;
  },
};

/**
 * The signature of a receipt is checked by Node's own cryptography: what a new process reads from
 * the journal, with the public key that another one has exported.
 */
export function signature(
  receipt: Receipt,
  exporting: Promise<readonly string[] | undefined>,
): Scene {
  return {
    checks: ["signed"],
    async play(stage) {
      const [{ data }, lines] = await Promise.all([
        callStint(stage, ["receipt", String(receipt.seq ?? "")]),
        exporting,
      ]);
      const publicKey = keyIn(lines ?? []);
      const recorded = recordIn(data["receipt"]);
      const { signature: said, workersHash, keyId, survivorCount } = receipt;
      const other = { ...recorded, survivor_count: survivorCount + 1 };
      stage.checklist.judge("signed", {
        keyId,
        isRecorded: recorded["signature"] === said && recorded["workers_hash"] === workersHash,
        isValid: isSignedBy(recorded, publicKey),
        isValidForOther: isSignedBy(other, publicKey),
      });
    },
  };
}

/** A new process exports the journal; its lines are read as they are for what leases it shows. */
export const exported: Scene<readonly string[]> = {
  checks: ["never_both"],
  async play(stage) {
    const file = join(stage.premises.dir, "exported.jsonl");
    const { exit, answer } = await callStint(stage, ["journal", "export", file]);
    if (exit !== 0) throw new Error(`the journal must be exported, got ${JSON.stringify(answer)}`);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    rmSync(file);
    stage.checklist.judge("never_both", readHoldings(lines));
    return lines;
  },
};

/** The public key that the fleet began with, as it stands in an exported journal; "" without. */
function keyIn([line = "{}"]: readonly string[]): string {
  const entry = recordIn(recordIn(JSON.parse(line))["entry"]);
  const key = recordIn(recordIn(entry["data"])["key"])["public_key"];
  return typeof key === "string" ? key : "";
}
