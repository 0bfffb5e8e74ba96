import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import type { Receipt } from "../../index.ts";
import { isRunning } from "../outside/table.ts";
import type { Stage } from "../stage/stage.ts";
import { stintFile } from "../task.ts";

/** How long a call of the command line may take, ms. */
const CALL_MS_MAX = 90_000;

/** What a new process has found of the journal. */
export interface JournalFinding {
  readonly entryCount: number;
  readonly isVerified: boolean;
  readonly isReplayed: boolean;
}

/** Kills the fleet, and looks for what is left of it. */
export async function killAll(stage: Stage): Promise<Receipt> {
  const { census, fleet, checklist, rung } = stage;
  const before = census.look().length;
  const receipt = await fleet.kill({ reason: "the demo is over" });
  const left = census.left();
  checklist.note("killed", before > 0 && left.length === 0, [
    `${before} processes before, ${left.length} after`,
    `none of the ${census.seenCount} that were ever seen is left`,
  ]);
  const { proven, stoppedCount, survivorCount, why, grades, keyId } = receipt;
  const isHonest = rung === "process-group" ? !proven && grades.swept === stoppedCount : proven;
  checklist.note("receipt", isHonest && stoppedCount > 0 && survivorCount === 0, [
    `${stoppedCount} stopped, ${survivorCount} survivors`,
    proven ? "proven" : "not proven",
    why.join("; "),
  ]);
  checklist.note("signed", fleet.verifyReceipt(receipt), [`key ${keyId.slice(0, 16)}`]);
  return receipt;
}

/** A killed fleet takes nobody, neither here nor in a process that never knew it alive. */
export async function refuseLate(stage: Stage): Promise<void> {
  const { census, fleet, checklist } = stage;
  const here = await fleet.tryStart({ name: "latecomer", run: ["true"] });
  const code = here.ok ? "admitted" : here.refusal.code;
  checklist.note("late", code === "fleet_killed", [code]);
  const { exit, answer } = await stint(stage, ["spawn", "--name", "latecomer", "--", "true"]);
  const refusal = answer["refusal"] as { readonly code?: string } | undefined;
  const count = census.look().length;
  checklist.note("late_process", exit === 3 && refusal?.code === "fleet_killed" && count === 0, [
    `\`stint spawn\` exits with ${exit}, ${refusal?.code ?? "no refusal"}`,
    `${count} processes`,
  ]);
}

/** Has a new process verify the journal, and this one fold it again. */
export async function checkJournal(stage: Stage): Promise<JournalFinding> {
  const { checklist, fleet } = stage;
  const { exit, answer } = await stint(stage, ["journal", "verify"]);
  const data = (answer["data"] ?? {}) as Readonly<Record<string, unknown>>;
  const { entry_count: entryCount, anchor_seq: anchorSeq, state_same: isStateSame } = data;
  const isVerified = exit === 0 && data["key_trusted"] === true && typeof anchorSeq === "number";
  checklist.note("verified", isVerified, [
    `\`stint journal verify\` exits with ${exit}`,
    `${String(entryCount)} entries, signed up to ${String(anchorSeq)}`,
  ]);
  const audit = await fleet.audit();
  const isReplayed = audit.ok && audit.isReplayed && isStateSame === true;
  checklist.note("replayed", isReplayed && audit.entryCount === entryCount, [
    `state ${audit.stateHash.slice(0, 16)}`,
    isStateSame === true ? "the signed one, too" : "not the one that was signed",
    ...audit.problems,
  ]);
  return { entryCount: audit.entryCount, isVerified, isReplayed };
}

/** Has the supervisor leave, and looks for what it leaves behind. */
export async function leave(stage: Stage): Promise<void> {
  const { census, checklist, patience, premises } = stage;
  const { supervisor } = census;
  if (supervisor === undefined) throw new Error("a fleet that was supervised had a supervisor");
  const { exit, answer } = await stint(stage, ["down"]);
  // It takes its sockets away first and ends a moment later.
  const awaited = { what: "the supervisor is gone", withinMs: CALL_MS_MAX };
  await patience.poll(awaited, () => !isRunning(supervisor));
  const left = census.left();
  const socketCount = countSockets(premises.runtimeDir);
  // What counts is that it is gone: its last answer may be lost as it goes.
  checklist.note("gone", left.length === 0 && socketCount === 0, [
    `\`stint down\` exits with ${exit}${exit === 0 ? "" : `: ${JSON.stringify(answer)}`}`,
    `the supervisor (process ${supervisor.pid}) is gone`,
    `${left.length} processes, ${socketCount} sockets`,
  ]);
}

function countSockets(runtimeDir: string | undefined): number {
  if (runtimeDir === undefined || !existsSync(runtimeDir)) return 0;
  const entries = readdirSync(runtimeDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isSocket()).length;
}

/** Calls the command line on the fleet, in a process of its own. */
function stint(
  { premises, signal }: Stage,
  args: readonly string[],
): Promise<{ readonly exit: number | string; readonly answer: Readonly<Record<string, unknown>> }> {
  const own = ["--fleet", premises.stateDir, "--json"];
  const at = args.indexOf("--");
  const words = at < 0 ? [...args, ...own] : [...args.slice(0, at), ...own, ...args.slice(at)];
  return new Promise((resolve, reject) => {
    const options = { timeout: CALL_MS_MAX, cwd: premises.dir };
    // Called back when it is gone: whoever cleans up afterwards finds nothing of it.
    const child = execFile(process.execPath, [stintFile(), ...words], options, (error, stdout) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason as Error);
      else
        resolve({ exit: error === null ? 0 : (error.code ?? "a signal"), answer: parse(stdout) });
    });
    const end = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", end);
  });
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    // Whatever it is, it is no answer: the checks say what they miss.
    return {};
  }
}
