import { describe, expect, test } from "vitest";
import { measureFleet, prometheusText } from "../../src/library/feed/prometheus.ts";
import { tallyJournal } from "../../src/library/feed/tally.ts";
import {
  admit,
  charge,
  create,
  exited,
  observe,
  quarantine,
  start,
  START_MS,
  stop,
} from "../support/scenario.ts";
import { record, type Steps } from "./explain/recording.ts";

/** A sample line of Prometheus' text format, by its name and labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([a-z_]+(?:\{[^}]*\})?) (-?[\d.e+-]+)$/.exec(line);
    if (match === null) throw new Error(`a line must be a sample, got ${line}`);
    samples.set(match[1] ?? "", Number(match[2]));
  }
  return samples;
}

async function measure(...steps: Steps) {
  const { play, journal } = await record(...steps);
  const tally = await tallyJournal(journal);
  const { state } = play;
  return measureFleet({ state, tally, nowMs: START_MS + 2_500, isSupervisorUp: true });
}

const BUSY = [
  create({ max_replicas: 4 }),
  start("a", { budget: { cpu_milli: 1_000, cpu_ms: 500, units: { tokens: 9 } } }),
  start("b", { under: "a", budget: { cpu_milli: 400, cpu_ms: 100, units: { tokens: 4 } } }),
  start("c"),
  admit("d"),
  admit("e"),
  charge("a", { cpu_ms: 40, units: { tokens: 2 } }),
  charge("b", { cpu_ms: 10 }),
  observe("a", { silent_ms: 30_000 }),
  quarantine("b"),
  stop("c"),
];

describe("[MX1] the fleet in numbers", () => {
  test("says who lives, how full it is, and what was granted and used", async () => {
    const measures = await measure(...BUSY);
    expect(measures).toMatchObject({
      status: "open",
      workers: { admitted: 1, running: 2, stopping: 1 },
      stale_count: 1,
      quarantined_count: 1,
      live_count: 4,
      utilisation: 1,
      total_count: 4,
      oldest_stopping_ms: 2_500,
      // Of the child nothing: it is carved from what its parent was granted.
      budget_granted: { cpu_milli: 1_000, cpu_ms: 500, "units.tokens": 9 },
      budget_spent: { cpu_ms: 50, "units.tokens": 2 },
      supervisor_up: true,
    });
  });

  test("counts what the whole journal holds", async () => {
    const measures = await measure(...BUSY, exited("c"));
    expect(measures.refusals).toEqual({ max_replicas: 1 });
    expect(measures.entries).toMatchObject({ "worker.admitted": 4, "worker.stopped": 1 });
    expect(measures.oldest_stopping_ms).toBe(0);
  });
});

describe("[MX2] Prometheus' text", () => {
  test("has each number once, with unit and type", async () => {
    const text = await prometheusText(await measure(...BUSY));
    const samples = samplesOf(text);
    expect(samples.get('stint_fleet_info{fleet="f-plays",name="plays"}')).toBe(1);
    expect(samples.get('stint_fleet_status{status="open"}')).toBe(1);
    expect(samples.get('stint_fleet_status{status="killed"}')).toBe(0);
    expect(samples.get('stint_workers{status="running"}')).toBe(2);
    expect(samples.get("stint_utilisation_ratio")).toBe(1);
    expect(samples.get('stint_budget_granted{key="cpu_milli"}')).toBe(1_000);
    expect(samples.get('stint_budget_spent{key="units.tokens"}')).toBe(2);
    expect(samples.get("stint_oldest_stopping_seconds")).toBe(2.5);
    expect(samples.get("stint_supervisor_up")).toBe(1);
    expect(samples.get("stint_admissions_total")).toBe(4);
    expect(samples.get('stint_refusals_total{code="max_replicas"}')).toBe(1);
    for (const name of new Set([...samples.keys()].map((key) => key.replace(/\{.*/, "")))) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, "m"));
      const type = name.endsWith("_total") ? "counter" : "gauge";
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
    }
  });

  test("of an empty fleet invents no labels", async () => {
    const samples = samplesOf(await prometheusText(await measure(create())));
    expect([...samples.keys()].filter((key) => /budget|refusals_total/.test(key))).toEqual([]);
  });
});
