import type { JsonObject } from "../../kernel/json.ts";
import { hitWords } from "../../library/explain/words.ts";
import { toWire } from "../../library/names.ts";
import type { LeaseView } from "../../library/lease/view.ts";
import type { WorkerView } from "../../library/worker/view.ts";
import { groundText } from "../ground/lease-said.ts";
import { parseCommandReason, type CommandReason } from "../launching/command-reason.ts";
import type { Colours } from "../text/colour.ts";
import { durationText, instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { coresText, sizeText } from "../text/size.ts";
import { pairsText } from "../text/table.ts";
import { rowOfView, type Beats } from "./row.ts";

/** What the journal knows of a worker besides its view: why it was admitted. */
export interface Admission {
  readonly reason: string | null;
}

/** Everything that is known of one worker: its row, and what only its own page shows. */
export function documentOf(
  view: WorkerView,
  { beats, reason }: Admission & { readonly beats: Beats },
): JsonObject {
  const { flagged, quarantine, stopping, process, state, regions, network, end } = view;
  const more = toWire({ flagged, quarantine, stopping, process, network, end }, "worker");
  const { childrenCount: children_count } = view;
  // What was a view a moment ago is plain JSON.
  const rest = more as JsonObject;
  return {
    ...rowOfView(view, beats),
    ...rest,
    reason,
    state,
    regions: [...regions],
    children_count,
  };
}

/** One worker for people, a line for each thing there is to say. */
export function portraitText(
  view: WorkerView,
  so: Admission & {
    readonly beats: Beats;
    readonly colours: Colours;
    /** The live leases that it holds. */
    readonly leases: readonly LeaseView[];
  },
): string {
  const { beats, reason, leases, colours } = so;
  const command = reason === null ? undefined : parseCommandReason(reason);
  const why = command === undefined ? reason : (command.why ?? null);
  const { id, name, parent, root, depth, status, stale, quarantine, end, process } = view;
  const beat = beats.get(id)?.receivedAtMs;
  const pairs: (readonly [string, string | null])[] = [
    ["worker", `${colours.cyan(id)} (${plainText(name)})`],
    ["status", stale ? `${status}, ${colours.yellow("stale")}` : status],
    ["stopping", view.stopping === null ? null : `told: ${view.stopping.reason}`],
    ["quarantine", quarantine === null ? null : quarantineText(quarantine)],
    ["ended", end === null ? null : endText(end)],
    ["program", command === undefined ? null : programText(command)],
    ["reason", why === null ? null : plainText(why)],
    ["parent", parent],
    ["root", root === id ? null : root],
    ["depth", String(depth)],
    ["children", view.childrenCount === 0 ? null : String(view.childrenCount)],
    ["process", process === null ? null : `${process.pid} on ${plainText(process.hostId)}`],
    ["admitted", instantText(view.admittedAtMs)],
    ["expires", end === null ? instantText(view.expiresAtMs) : null],
    ["last beat", beat === undefined ? null : instantText(beat)],
    ["leases", leases.length === 0 ? null : leasesText(leases)],
    ["network", view.network],
    ["weaker than asked", view.degraded.length === 0 ? null : view.degraded.join(", ")],
    ["budget", budgetText(view.budget)],
    ["hit", view.limitsHit.length === 0 ? null : view.limitsHit.map(hitText).join("; ")],
    ["state", stateText(view.state)],
  ];
  const shown = pairs.flatMap(([head, text]) => (text === null ? [] : [[head, text] as const]));
  return pairsText(shown, colours.dim);
}

/** How many leases of a worker are named. */
const leasesShownMax = 8;

function leasesText(leases: readonly LeaseView[]): string {
  const shown = leases.slice(0, leasesShownMax).map((one) => `${one.id} ${groundText(one)}`);
  const more = leases.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

function programText({ program, digest }: CommandReason): string {
  return `${plainText(program)} (${digest} of the whole command)`;
}

function quarantineText({ severity, reason, untilMs }: NonNullable<WorkerView["quarantine"]>) {
  return `${severity}: ${plainText(reason)}; until ${instantText(untilMs)}`;
}

function endText({ reason, grade, proven, outcome, atMs, seq }: NonNullable<WorkerView["end"]>) {
  const { exitCode, signal, oomKilled, timedOut } = outcome;
  const how = [
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(signal === undefined ? [] : [`signal ${signal}`]),
    ...(oomKilled === true ? ["out of memory"] : []),
    ...(timedOut === true ? ["out of time"] : []),
  ];
  const known = grade === null ? "" : `, ${grade}${proven ? "" : " (no proof)"}`;
  return `${[reason, ...how].join(", ")}${known}; ${instantText(atMs)}, entry ${seq}`;
}

/** What the amounts of a budget are called; what is not here bears its own name. */
const WORDS: Readonly<Record<string, string>> = {
  cpuMilli: "cpu",
  memoryBytes: "memory",
  lifetimeMs: "lifetime",
  wallMs: "wall",
  cpuMs: "cpu time",
};

/** How the amounts of a budget are written; what is not here is a plain number. */
const FORMS: Readonly<Record<string, (amount: number) => string>> = {
  cpuMilli: (amount) => `${coresText(amount)} cores`,
  memoryBytes: sizeText,
  lifetimeMs: durationText,
  wallMs: durationText,
  cpuMs: durationText,
};

function budgetText({ granted, free }: WorkerView["budget"]): string | null {
  const lines = amountsOf(granted).map(([key, amount]) => {
    const form = FORMS[key] ?? String;
    const left = amountsOf(free).find(([other]) => other === key)?.[1];
    const rest = left === undefined || left === amount ? "" : ` (${form(left)} free)`;
    return `${plainText(WORDS[key] ?? key)} ${form(amount)}${rest}`;
  });
  return lines.length === 0 ? null : lines.join(", ");
}

function hitText(hit: WorkerView["limitsHit"][number]): string {
  return `${hitWords(hit)}, last told ${instantText(hit.atMs)}`;
}

function amountsOf(
  budget: WorkerView["budget"]["granted"],
): readonly (readonly [string, number])[] {
  const { units = {}, ...plain } = budget;
  return [...Object.entries(plain), ...Object.entries(units)].filter(
    (pair): pair is [string, number] => typeof pair[1] === "number",
  );
}

/** How much of a worker's state a person is shown, characters. */
const stateCharsMax = 400;

function stateText(state: JsonObject): string | null {
  const text = JSON.stringify(state);
  if (text === "{}") return null;
  const cut = text.length > stateCharsMax ? `${text.slice(0, stateCharsMax)}…` : text;
  return plainText(cut);
}
