import { Counter, Gauge, Registry } from "prom-client";
import { add, flatten } from "../../kernel/budget/allowance.ts";
import { isLive, type Amounts, type State, type Worker } from "../../kernel/state.ts";
import { describeArmed, type ArmedDocument } from "./armed.ts";
import type { Tally } from "./tally.ts";

/** A fleet in numbers, in wire form: what `stint metrics --json` answers. */
export interface MeasuresDocument extends Tally {
  readonly fleet: string;
  readonly name: string;
  readonly status: State["status"];
  /** The newest entry that they include. */
  readonly seq: number;
  /** Live workers by where they are in their life. */
  readonly workers: Readonly<Record<"admitted" | "running" | "stopping", number>>;
  readonly stale_count: number;
  readonly quarantined_count: number;
  readonly live_count: number;
  readonly max_replicas: number;
  /** `live_count / max_replicas`; above 1 after a tighter contract was enacted. */
  readonly utilisation: number;
  readonly total_count: number;
  readonly max_total: number;
  /** What live roots were granted, by flat key: their descendants' is carved from it. */
  readonly budget_granted: Amounts;
  /** What live workers and their dead descendants have used of their bounded consumables. */
  readonly budget_spent: Amounts;
  /** For how long the worker that was told to stop first is stopping, ms; 0 when none is. */
  readonly oldest_stopping_ms: number;
  readonly supervisor_up: boolean;
  readonly armed: ArmedDocument;
}

/** What a fleet's numbers are taken from. */
export interface MeasureOptions {
  readonly state: State;
  readonly tally: Tally;
  /** Wall time, ms since 1970: ages are for display. */
  readonly nowMs: number;
  readonly isSupervisorUp: boolean;
}

/** Takes the numbers of a fleet at one moment. */
export function measureFleet(so: MeasureOptions): MeasuresDocument {
  const { state, tally, nowMs, isSupervisorUp } = so;
  const live = [...state.workers.values()].filter(isLive);
  const countOf = (status: Worker["status"]): number =>
    live.filter((worker) => worker.status === status).length;
  const since = live.flatMap(({ stopping }) => (stopping === null ? [] : [stopping.at_ms]));
  const { max_replicas, max_total } = state.contract;
  const sum = (amounts: readonly Amounts[]): Amounts =>
    amounts.reduce<Amounts>((total, one) => add(total, one), {});
  return {
    fleet: state.fleet ?? "",
    name: state.name,
    status: state.status,
    seq: state.seq,
    workers: {
      admitted: countOf("admitted"),
      running: countOf("running"),
      stopping: countOf("stopping"),
    },
    stale_count: live.filter(({ stale }) => stale).length,
    quarantined_count: live.filter(({ quarantine }) => quarantine !== null).length,
    live_count: state.live_count,
    max_replicas,
    utilisation: state.live_count / max_replicas,
    total_count: state.total_count,
    max_total,
    budget_granted: sum(live.filter(isRoot).map(({ granted }) => flatten(granted))),
    budget_spent: sum(live.map(({ spent }) => spent)),
    oldest_stopping_ms: since.reduce((most, atMs) => Math.max(most, nowMs - atMs), 0),
    supervisor_up: isSupervisorUp,
    armed: describeArmed(state, nowMs),
    ...tally,
  };
}

function isRoot(worker: Worker): boolean {
  return worker.root === worker.id;
}

/**
 * Writes a fleet's numbers in Prometheus' text format, version 0.0.4; names begin with `stint_`,
 * durations are in seconds. A registry of its own: nothing else of the process is in it.
 */
export async function prometheusText(measures: MeasuresDocument): Promise<string> {
  const registry = new Registry();
  const gauge = gaugesIn(registry);
  const { fleet, name, status } = measures;
  const labelNames = ["fleet", "name"];
  const about: Labelled = { labelNames, samples: [[{ fleet, name }, 1]] };
  gauge("stint_fleet_info", "The fleet by its id and name; always 1.", about);
  const statuses = { open: 0, paused: 0, killed: 0, [status]: 1 };
  gauge("stint_fleet_status", "1 for the fleet's status.", byLabel("status", statuses));
  gauge("stint_journal_seq", "The newest entry of the journal.", measures.seq);
  gauge("stint_workers", "Live workers by status.", byLabel("status", measures.workers));
  gauge("stint_workers_stale", "Live workers that missed their beats.", measures.stale_count);
  const { quarantined_count: quarantined } = measures;
  gauge("stint_workers_quarantined", "Live workers in quarantine.", quarantined);
  gauge("stint_replicas_max", "Live workers that the contract allows.", measures.max_replicas);
  gauge("stint_utilisation_ratio", "Live workers by those allowed.", measures.utilisation);
  gauge("stint_admissions_max", "Admissions that the contract allows.", measures.max_total);
  const { budget_granted: granted, budget_spent: spent } = measures;
  gauge("stint_budget_granted", "What live roots were granted.", byLabel("key", granted));
  gauge("stint_budget_spent", "What live workers have used.", byLabel("key", spent));
  gauge(
    "stint_oldest_stopping_seconds",
    "For how long the worker that was told to stop first is stopping.",
    measures.oldest_stopping_ms / 1_000,
  );
  gauge("stint_supervisor_up", "Whether the supervisor answers.", measures.supervisor_up ? 1 : 0);
  gaugeArmed(gauge, measures.armed);
  countAll(countersIn(registry), measures);
  return registry.metrics();
}

/** Of what was never checked there is neither age nor result. */
function gaugeArmed(gauge: Say, { standing, age_ms: ageMs, last }: ArmedDocument): void {
  const standings = { off: 0, never: 0, proven: 0, failed: 0, overdue: 0, [standing]: 1 };
  const help = "1 for how the fleet stands with its armed checks.";
  gauge("stint_armed_check_status", help, byLabel("status", standings));
  if (ageMs === null || last === null) return;
  gauge("stint_armed_check_age_seconds", "The age of the newest armed check.", ageMs / 1_000);
  gauge("stint_armed_check_ok", "Whether the newest armed check passed.", last.ok ? 1 : 0);
}

/** Samples that differ by their labels; there may be none yet. */
interface Labelled {
  readonly labelNames: readonly string[];
  readonly samples: readonly (readonly [labels: Record<string, string>, value: number])[];
}

type Say = (name: string, help: string, value: number | Labelled) => void;

function byLabel(label: string, amounts: Readonly<Record<string, number>>): Labelled {
  const samples = Object.entries(amounts).map(([key, value]): Labelled["samples"][number] => [
    { [label]: key },
    value,
  ]);
  return { labelNames: [label], samples };
}

function asLabelled(value: number | Labelled): Labelled {
  return typeof value === "number" ? { labelNames: [], samples: [[{}, value]] } : value;
}

function gaugesIn(registry: Registry): Say {
  return (name, help, value) => {
    const { labelNames, samples } = asLabelled(value);
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const [labels, amount] of samples) gauge.set(labels, amount);
  };
}

function countersIn(registry: Registry): Say {
  return (name, help, value) => {
    const { labelNames, samples } = asLabelled(value);
    const counter = new Counter({ name, help, labelNames, registers: [registry] });
    for (const [labels, amount] of samples) counter.inc(labels, amount);
  };
}

function countAll(count: Say, measures: MeasuresDocument): void {
  const { total_count: total, entries, refusals, suppressed_count: suppressed } = measures;
  count("stint_admissions_total", "Admissions over the fleet's life.", total);
  count("stint_entries_total", "Entries of the journal by kind.", byLabel("kind", entries));
  count("stint_refusals_total", "Journaled refusals by code.", byLabel("code", refusals));
  const help = "Refusals that were only counted, for their actors had too many.";
  count("stint_refusals_suppressed_total", help, suppressed);
}
