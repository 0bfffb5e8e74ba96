import type { CommandMap, KeyRecord } from "../../kernel/command.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { GRADES, type Grade } from "../../kernel/worker/evidence.ts";
import type { Signer } from "../../ports/signer.ts";
import { canonicalText, sha256Of } from "../../runtime/canonical.ts";
import { toEdge, toWire } from "../names.ts";
import { hasStopped, type StoppedWorker } from "../worker/stopping.ts";

/** The version of this form of a receipt. */
const TYPE = "stint/receipt/v1";

/** What a receipt may take in the journal, bytes; the list of workers is left out beyond it. */
const recordedBytesMax = LIMITS.stateBytesMax * 3;

/** The signed proof of a kill or a stop: what was stopped, and how that is known. */
export interface Receipt {
  readonly type: string;
  /** What was ordered: the end of the fleet, or that of some of its workers. */
  readonly order: "kill" | "stop";
  readonly fleet: string;
  /** The place at which the order is durable; null when it could not be journaled in time. */
  readonly seq: number | null;
  readonly reason: string;
  readonly stoppedCount: number;
  readonly survivorCount: number;
  /** Whether all are stopped and every end is observed, settled or tethered. */
  readonly proven: boolean;
  /** What keeps it from being proven, in sentences; empty when it is. */
  readonly why: readonly string[];
  /** How many ends are of each grade. */
  readonly grades: Readonly<Partial<Record<Grade, number>>>;
  readonly durationMs: number;
  readonly workers: readonly StoppedWorker[];
  /** SHA-256 over the canonical list of workers, which the signature covers by it. */
  readonly workersHash: string;
  readonly keyId: string;
  /** Ed25519 over the canonical form (RFC 8785) without `workers` and `signature`, base64url. */
  readonly signature: string;
}

/** What a kill or a stop found, before it is signed. */
export interface StopFindings {
  readonly order: Receipt["order"];
  readonly fleet: string;
  readonly seq: number | null;
  readonly reason: string;
  readonly durationMs: number;
  readonly workers: readonly StoppedWorker[];
  /** What went wrong besides survivors and weak evidence. */
  readonly troubles: readonly string[];
}

/**
 * Draws up and signs the receipt of a kill or a stop; names in it are those of the journal. Without
 * a signer, when the secret cannot be read, key id and signature are empty: it vouches for nothing.
 */
export function signReceipt(signer: Signer | undefined, found: StopFindings): JsonObject {
  const { order, fleet, seq, reason, workers } = found;
  const stopped = workers.filter(hasStopped);
  const why = [...listWeaknesses(workers), ...found.troubles];
  const listed = workers.map(({ id, name, grade, proven }) => ({ id, name, grade, proven }));
  const statement = {
    type: TYPE,
    order,
    fleet,
    seq,
    reason,
    stopped_count: stopped.length,
    survivor_count: workers.length - stopped.length,
    proven: why.length === 0,
    why,
    grades: countGrades(workers),
    duration_ms: Math.round(found.durationMs),
    workers_hash: sha256Of(canonicalText(listed)),
    key_id: signer?.key.key_id ?? "",
  };
  return { ...statement, workers: listed, signature: signer?.sign(bytesOf(statement)) ?? "" };
}

/** The receipt as it is journaled: whole, or without its list of workers where that is too long. */
export function recordable(receipt: JsonObject): CommandMap["receipt.record"] {
  const { workers: _, ...short } = receipt;
  const isShort = Buffer.byteLength(canonicalText(receipt)) > recordedBytesMax;
  return { receipt: isShort ? short : receipt };
}

/** The receipt as the library shows it. */
export function showReceipt(receipt: JsonObject): Receipt {
  return toEdge(receipt) as unknown as Receipt;
}

/** Whether a receipt is signed by this fleet's key and nothing of it was changed since. */
export function isReceiptSigned(signer: Signer, receipt: Receipt): boolean {
  const document = toWire(receipt, "receipt") as Readonly<Record<string, unknown>>;
  if (document["workers"] === undefined) return false;
  return isStatementSigned(document, signer.key, signer.verify.bind(signer));
}

/**
 * Whether a receipt in wire form is signed by a key and nothing of it was changed since. Its list
 * of workers may have been left out: then only their hash is vouched for.
 */
export function isStatementSigned(
  receipt: Readonly<Record<string, unknown>>,
  { key_id: keyId, public_key: publicKey }: KeyRecord,
  verify: Signer["verify"],
): boolean {
  const { workers, signature, ...statement } = receipt;
  if (statement["key_id"] !== keyId || typeof signature !== "string") return false;
  const isListed = workers !== undefined;
  if (isListed && statement["workers_hash"] !== sha256Of(canonicalText(workers))) return false;
  return verify(bytesOf(statement), signature, publicKey);
}

function bytesOf(statement: object): Uint8Array {
  return Buffer.from(canonicalText(statement));
}

function listWeaknesses(workers: readonly StoppedWorker[]): readonly string[] {
  const survivors = workers.filter((worker) => !hasStopped(worker));
  const weak = GRADES.flatMap((grade) => {
    const count = workers.filter((worker) => worker.grade === grade && !worker.proven).length;
    return count === 0 ? [] : [`${countOf(count)} only ${grade}, which is no proof`];
  });
  if (survivors.length === 0) return weak;
  const named = survivors.slice(0, namedMax).map(({ id, name }) => `${id} (${name})`);
  const more = survivors.length > namedMax ? `, and ${survivors.length - namedMax} more` : "";
  return [`${countOf(survivors.length)} not seen to end: ${named.join(", ")}${more}`, ...weak];
}

/** How many survivors are named in a sentence. */
const namedMax = 5;

function countOf(count: number): string {
  return count === 1 ? "1 worker was" : `${count} workers were`;
}

function countGrades(workers: readonly StoppedWorker[]): JsonObject {
  const graded = workers.flatMap(({ grade }) => (grade === null ? [] : [grade]));
  const groups = Map.groupBy(graded, (grade) => grade);
  return Object.fromEntries([...groups].map(([grade, members]) => [grade, members.length]));
}
