import type { InspectedLoss } from "../../compose/recovery.ts";
import type { LostRange } from "../../library/recovery/recovery.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { describeArmed } from "../../library/feed/armed.ts";
import type { Call, Said } from "../call.ts";
import { armedText } from "../text/armed.ts";
import { durationText, instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { pairsText } from "../text/table.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const show: Verb = {
  name: "fleet show",
  summary: "Show what the fleet is: id, status, counts, contract, key",
  examples: ["stint fleet show", "stint fleet show --json"],
  run: runShow,
};

const acceptClock: Verb = {
  name: "fleet accept-clock",
  summary: "Go on although this host's clock contradicts journal time (clock_skew)",
  details:
    "After a look at the clock: records that it is right. Journal time never runs backwards; " +
    "where the clock is behind, it goes on from its last value by the time since boot until the " +
    "clock has caught up. Where the clock is ahead, what is past its time ends at once.",
  options: [
    { flags: "--reason <text>", description: "why the clock is right, for the record" },
    { flags: "--yes", description: "do not ask" },
  ],
  examples: ['stint fleet accept-clock --reason "the battery was replaced" --yes'],
  run: runAcceptClock,
};

const recover: Verb = {
  name: "fleet recover",
  summary: "Go on with a journal that has lost its end (journal_truncated)",
  details:
    "For a state folder that was restored from a backup. Shows the head that the store has, the " +
    "one that is remembered beside it, and what is lost between them; asks; then goes on above " +
    "every remembered entry, in a new epoch, paused. What the segments beside the store have of " +
    "it is not lost: it is taken up, and where that is all, the fleet is as it was. Workers of " +
    "the lost part that left a signed manifest count as live until they expire. A kill stays in " +
    "force. Nobody else may have the fleet open meanwhile.",
  options: [
    { flags: "--reason <text>", description: "what has happened, for the record" },
    { flags: "--yes", description: "do not ask" },
  ],
  examples: ['stint fleet recover --reason "the disk was restored" --yes'],
  run: runRecover,
};

/** The verbs of the fleet itself. */
export const VERBS: VerbFile["VERBS"] = [show, acceptClock, recover];

async function runShow(call: Call): Promise<Said> {
  const { stateDir, root } = await call.place();
  const { state, seq, nowMs } = await call.read();
  const { contract } = state;
  const armed = describeArmed(state, nowMs);
  const data = {
    fleet_id: state.fleet,
    name: state.name,
    status: state.status,
    seq,
    epoch: state.epoch,
    at_ms: state.at_ms,
    live_count: state.live_count,
    total_count: state.total_count,
    max_replicas: contract.max_replicas,
    max_total: contract.max_total,
    contract_hash: state.contract_hash,
    key_id: state.key.key_id,
    public_key: state.key.public_key,
    state_dir: stateDir,
    root,
    armed: armed as unknown as JsonObject,
  };
  const text = pairsText([
    ["fleet", `${state.fleet} "${plainText(state.name)}"`],
    ["status", state.status],
    ["workers", `${state.live_count} of ${contract.max_replicas} live`],
    ["admitted", `${state.total_count} of ${contract.max_total} ever`],
    ["journal", `${countText(seq, "entry", "entries")}, epoch ${state.epoch}`],
    ["last entry", `${instantText(state.at_ms)}, ${durationText(nowMs - state.at_ms)} ago`],
    ["armed check", armedText(armed)],
    ["contract", state.contract_hash],
    ["key", state.key.key_id],
    ["state", stateDir],
  ]);
  return { data, text, seq };
}

async function runAcceptClock(call: Call, { options }: Given): Promise<Said> {
  const { stateDir } = await call.place();
  call.note(`This host's clock shows ${instantText(Date.now())}.`);
  await call.confirm("Is it right, and shall the fleet go on by it?", options["yes"] === true);
  const { acceptClock: accept } = await import("../../compose/recovery.ts");
  const { seq, atMs, previousAtMs, wallMs } = await accept(stateDir, reasonOf(options));
  const data = { at_ms: atMs, previous_at_ms: previousAtMs, wall_ms: wallMs };
  const text =
    atMs > wallMs
      ? `Accepted. Journal time goes on from ${instantText(atMs)} until the clock has caught up.`
      : `Accepted. Journal time goes on from ${instantText(atMs)}, as the clock has it.`;
  return { data, text, seq };
}

async function runRecover(call: Call, { options }: Given): Promise<Said> {
  const { stateDir } = await call.place();
  const { inspectRecovery, recoverFleet } = await import("../../compose/recovery.ts");
  const loss = await inspectRecovery(stateDir);
  const { archived } = loss;
  if (loss.lost === null && archived === null) {
    const text = `Nothing is lost: the journal ends at entry ${loss.kept.seq}, as is remembered.`;
    const data = { ...heads(loss), recovered: false, adopted_workers: [], epoch: loss.epoch };
    return { data, text, seq: loss.kept.seq };
  }
  call.note(lossText(loss));
  const question =
    loss.lost === null ? "Take up what the segments have?" : "Go on without what is lost?";
  await call.confirm(question, options["yes"] === true);
  const done = await recoverFleet(stateDir, reasonOf(options));
  const data = {
    ...heads(loss),
    recovered: done.isRecovered,
    adopted_workers: [...done.adoptedWorkers],
    epoch: done.epoch,
    ...(done.isRecovered ? { status: done.isKilled ? "killed" : "paused" } : {}),
  };
  if (!done.isRecovered) {
    const count = countText(archived?.count ?? 0, "entry", "entries");
    const text = `${count} taken up from segments: nothing is lost, and the fleet is as it was.`;
    return { data, text, seq: done.seq };
  }
  const next = done.isKilled
    ? "It was killed, and stays so."
    : "It is paused: look at its workers, then `stint resume`.";
  const text =
    `The fleet goes on at entry ${done.seq}, in epoch ${done.epoch}; ` +
    `${countText(done.adoptedWorkers.length, "worker")} of the lost part count as live.\n${next}`;
  return { data, text, seq: done.seq };
}

function lossText(loss: InspectedLoss): string {
  const { kept, remembered, archived, lost, workers, liveWorkers } = loss;
  const pairs = pairsText([
    ["kept", `entry ${kept.seq}, ${instantText(kept.atMs)}, ${kept.hash}`],
    ["remembered", `entry ${remembered.seq}, ${remembered.hash}`],
    ...(archived === null ? [] : [["in segments: taken up", rangeText(archived)] as const]),
    ["lost", lost === null ? "none" : rangeText(lost)],
    ["live by the kept part", countText(liveWorkers.length, "worker")],
    ["known of the lost part", countText(workers.length, "worker")],
    ["killed", loss.isKilled ? "yes, and it stays so" : "no"],
  ]);
  return `The fleet "${plainText(loss.name)}" (${loss.fleet}):\n${pairs}`;
}

function rangeText({ fromSeq, toSeq, count }: LostRange): string {
  return `entries ${fromSeq} to ${toSeq} (${count})`;
}

function rangeData(range: LostRange | null): JsonObject | null {
  if (range === null) return null;
  return { from_seq: range.fromSeq, to_seq: range.toSeq, count: range.count };
}

function heads({ fleet, kept, remembered, archived, lost, isKilled }: InspectedLoss): JsonObject {
  return {
    fleet_id: fleet,
    kept: { seq: kept.seq, hash: kept.hash, at_ms: kept.atMs },
    remembered: { seq: remembered.seq, hash: remembered.hash },
    taken_up: rangeData(archived),
    lost: rangeData(lost),
    killed: isKilled,
  };
}

function reasonOf(options: Given["options"]): { readonly reason?: string } {
  const { reason } = options;
  return typeof reason === "string" ? { reason } : {};
}
