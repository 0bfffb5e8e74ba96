import { isLive, type State, type Worker } from "../kernel/state.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { Named } from "../library/explain/words.ts";
import { describeArmed } from "../library/feed/armed.ts";
import type { LeaseView } from "../library/lease/view.ts";
import type { Reading } from "../library/reading.ts";
import type { Call, Said } from "./call.ts";
import { configFileOf } from "./founding/config-file.ts";
import { configNote, lookAtConfig } from "./founding/config-sight.ts";
import { groundText, holderText } from "./ground/lease-said.ts";
import { liveIn, namesFor } from "./ground/leases.ts";
import { findPlace } from "./place.ts";
import { unwatchedLines } from "./roster/unwatched.ts";
import { armedText } from "./text/armed.ts";
import { coloursFor, type Colours } from "./text/colour.ts";
import { agoText } from "./text/duration.ts";
import { plainText, shortText } from "./text/plain.ts";
import { countText } from "./text/size.ts";
import { pairsText, tableText } from "./text/table.ts";
import type { Verb } from "./verb.ts";

/** How many workers are named; the whole stays within 20 lines. */
const workersShownMax = 8;
const nameCharsMax = 24;

/** How much of a holder is shown, characters: a worker's id and what comes after it. */
const holderCharsMax = 48;

/** What `stint` alone does: says how the fleet is and what to type next. */
export const OVERVIEW: Verb = {
  name: "",
  summary: "How the fleet is, in at most 20 lines, and what to do next",
  examples: ["stint", "stint --json"],
  run: overview,
};

async function overview(call: Call): Promise<Said> {
  // Where none was named, no fleet is no mistake: one is offered.
  if (call.fleetDir === undefined && findPlace(process.cwd()) === undefined) return offerInit();
  const { stateDir, root } = await call.place();
  const reading = await call.read();
  const { state, seq } = reading;
  const file = configFileOf(root);
  const sight = lookAtConfig(file, state);
  const note = configNote(file, sight);
  if (note !== undefined) call.note(note);
  const unwatched = await unwatchedLines(call, state);
  const leases = liveIn(reading);
  const named = await namesFor(call, reading, leases.slice(0, leasesShownMax));
  return {
    data: {
      ...numbersOf(state, leases.length),
      state_dir: stateDir,
      config_status: sight.kind,
      armed: describeArmed(state, reading.nowMs) as unknown as JsonObject,
    },
    text: textOf(call, reading, [
      ...leasesLines(leases, named),
      ...armedLines(reading),
      ...unwatched,
    ]),
    seq,
  };
}

function offerInit(): Said {
  const text = [
    "There is no fleet here yet.",
    "",
    "  stint init        begin one in this folder or repository",
    "  stint doctor      see what this machine can contain, and what it lacks",
    "  stint --help      all verbs",
  ].join("\n");
  return { data: { fleet_id: null }, text };
}

function numbersOf(state: State, leaseCount: number): JsonObject {
  const byStatus: Record<string, number> = { admitted: 0, running: 0, stopping: 0 };
  let staleCount = 0;
  let quarantinedCount = 0;
  for (const worker of liveOf(state)) {
    byStatus[worker.status] = (byStatus[worker.status] ?? 0) + 1;
    if (worker.stale) staleCount += 1;
    if (worker.quarantine !== null) quarantinedCount += 1;
  }
  return {
    fleet_id: state.fleet,
    name: state.name,
    status: state.status,
    live_count: state.live_count,
    total_count: state.total_count,
    max_replicas: state.contract.max_replicas,
    max_total: state.contract.max_total,
    workers: byStatus,
    stale_count: staleCount,
    quarantined_count: quarantinedCount,
    lease_count: leaseCount,
  };
}

/** How many leases are named in the line about them. */
const leasesShownMax = 3;

/** One line about who holds ground, and none where nobody does. */
function leasesLines(leases: readonly LeaseView[], named: Named): readonly string[] {
  if (leases.length === 0) return [];
  const shown = leases.slice(0, leasesShownMax).map((lease) => {
    const ground = shortText(groundText(lease), nameCharsMax);
    return `${lease.id} ${shortText(holderText(lease, named), holderCharsMax)} (${ground})`;
  });
  const more = leases.length > shown.length ? ", … (`stint lease ls`)" : "";
  return [`${countText(leases.length, "lease")} held: ${shown.join(", ")}${more}`];
}

/** One line about the armed checks, and none where they are off. */
function armedLines({ state, nowMs }: Reading): readonly string[] {
  const armed = describeArmed(state, nowMs);
  return armed.standing === "off" ? [] : [`armed check: ${armedText(armed)}`];
}

/** `more` are lines that are not there in most fleets. */
function textOf(call: Call, reading: Reading, more: readonly string[]): string {
  const { state, nowMs, beats } = reading;
  const colours = coloursFor(call.isColour);
  const { contract } = state;
  const live = liveOf(state);
  const shown = live.slice(0, workersShownMax);
  const title = `${colours.bold(plainText(state.name))} ${colours.dim(state.fleet ?? "")}`;
  const entries = countText(state.seq, "entry", "entries");
  const lines = [
    `${title}  ${statusText(state, colours)}`,
    `${state.live_count} of ${contract.max_replicas} workers live, ` +
      `${state.total_count} of ${contract.max_total} ever admitted, ${entries}`,
  ];
  if (shown.length > 0) {
    const columns = [
      { head: "ID", cell: (one: Worker) => colours.cyan(one.id) },
      { head: "NAME", cell: (one: Worker) => shortText(plainText(one.name), nameCharsMax) },
      { head: "STATUS", cell: (one: Worker) => workerText(one, colours) },
      { head: "SINCE", cell: (one: Worker) => agoText(one.admitted_at_ms, nowMs) },
      {
        head: "BEAT",
        cell: ({ id }: Worker) => {
          const beat = beats.get(id);
          return beat === undefined ? "" : agoText(beat.receivedAtMs, nowMs);
        },
      },
    ];
    lines.push("", tableText({ columns, rows: shown, headStyle: (text) => colours.dim(text) }));
  }
  if (live.length > shown.length) lines.push(`… and ${live.length - shown.length} more`);
  lines.push(...more);
  return [...lines, "", pairsText(nextOf(state, live), (text) => colours.cyan(text))].join("\n");
}

function statusText({ status }: State, colours: Colours): string {
  if (status === "killed") return colours.red("killed");
  return status === "paused" ? colours.yellow("paused") : colours.green("open");
}

function workerText({ status, stale, quarantine }: Worker, colours: Colours): string {
  if (quarantine !== null) return colours.red("quarantined");
  if (stale) return colours.yellow(`${status}, stale`);
  return status === "stopping" ? colours.yellow(status) : status;
}

/** The commands that a person is most likely to want now. */
function nextOf(state: State, live: readonly Worker[]): readonly (readonly [string, string])[] {
  if (state.status === "killed")
    return [
      ["stint journal tail", "what happened"],
      ["stint init --new-fleet", "archive this journal and begin a new fleet"],
    ];
  const many: readonly (readonly [string, string])[] =
    live.length === 0 ? [] : [["stint workers --tree", "all workers, as a tree"]];
  const troubled = live.find((one) => one.stale || one.quarantine !== null);
  return [
    state.status === "paused"
      ? ["stint resume", "take new workers again"]
      : ["stint run -- CMD", "run a command as a worker"],
    ...many,
    ...(troubled === undefined
      ? []
      : ([[`stint worker show ${troubled.id}`, "look at what needs a look"]] as const)),
    ...(live.length === 0 ? [] : ([["stint stop --all", "stop them all, with proof"]] as const)),
  ];
}

function liveOf(state: State): readonly Worker[] {
  return [...state.workers.values()].filter(isLive);
}
