import { describe, expect, test } from "vitest";
import { armedText } from "../../src/cli/text/armed.ts";
import { checkArmed } from "../../src/cli/doctor/armed.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { INITIAL_STATE, type State } from "../../src/kernel/state.ts";
import { describeArmed } from "../../src/library/feed/armed.ts";
import { measureFleet, prometheusText } from "../../src/library/feed/prometheus.ts";
import { makeSite } from "./recorded.ts";

const EVERY_MS = 60_000;
const passed = { ok: true, grade: "observed", rung: "x", took_ms: 131, at_ms: 0 } as const;
const problem = "something of the canary\u001b[2J was alive";
const failed = { ...passed, ok: false, grade: null, problem } as const;

function fleetWith(armed: State["armed"], armed_every_ms: number): State {
  return {
    ...INITIAL_STATE,
    status: "open",
    armed,
    contract: { ...DEFAULT_CONTRACT, armed_every_ms },
  };
}

const KILLED = "a canary was killed with proof (observed) in 131ms";

const STANDINGS = [
  { standing: "off", last: null, everyMs: 0, text: "off", status: "skipped" },
  {
    standing: "off",
    last: passed,
    everyMs: 0,
    text: `off; the last, 5s ago, ${KILLED}`,
    status: "skipped",
  },
  {
    standing: "never",
    last: null,
    everyMs: EVERY_MS,
    text: "never made yet, due every 1m",
    status: "weaker",
  },
  {
    standing: "proven",
    last: passed,
    everyMs: EVERY_MS,
    text: `passed 5s ago, due every 1m: ${KILLED}`,
    status: "ok",
  },
  {
    standing: "failed",
    last: failed,
    everyMs: EVERY_MS,
    text: "FAILED 5s ago, due every 1m: something of the canary\\u{1b}[2J was alive",
    status: "weaker",
  },
  {
    standing: "overdue",
    last: { ...passed, at_ms: -3 * EVERY_MS },
    everyMs: EVERY_MS,
    text: `OVERDUE, due every 1m; the last, 3m 5s ago, ${KILLED}`,
    status: "weaker",
  },
] as const;

describe("[AC7] how a fleet stands with its armed checks", () => {
  test.each(STANDINGS)("$standing: $text", ({ standing, last, everyMs, text, status }) => {
    const state = fleetWith(last, everyMs);
    const document = describeArmed(state, 5_000);
    expect(document.standing).toBe(standing);
    expect(armedText(document)).toBe(text);
    const check = checkArmed(state, 5_000);
    expect(check).toMatchObject({ name: "armed check", status });
    // Whatever is weaker says what that costs, and what helps.
    expect(check.costs !== undefined && check.remedy !== undefined).toBe(status === "weaker");
  });

  test("is a gauge, with age and result where there is one", async () => {
    const tally = { entries: {}, refusals: {}, suppressed_count: 0 };
    const text = (last: State["armed"]): Promise<string> =>
      prometheusText(
        measureFleet({
          state: fleetWith(last, EVERY_MS),
          tally,
          nowMs: 5_000,
          isSupervisorUp: false,
        }),
      );
    const never = await text(null);
    expect(never).toContain('stint_armed_check_status{status="never"} 1\n');
    expect(never).toContain('stint_armed_check_status{status="proven"} 0\n');
    expect(never).not.toContain("stint_armed_check_age_seconds");
    expect(await text(passed)).toContain("stint_armed_check_age_seconds 5\n");
    expect(await text(passed)).toContain("stint_armed_check_ok 1\n");
    expect(await text(failed)).toContain("stint_armed_check_ok 0\n");
  });

  test("is said by the overview, fleet show, doctor and metrics", async () => {
    const site = makeSite();
    await site.open({ armedEveryMs: EVERY_MS, armedAction: "pause" });
    const armed = {
      standing: "never",
      every_ms: EVERY_MS,
      action: "pause",
      age_ms: null,
      last: null,
    };
    for (const verb of [[], ["fleet", "show"], ["metrics"]])
      expect((await site.call([...verb, "--json"])).json().data["armed"]).toEqual(armed);
    const line = /armed check:? +never made yet, due every 1m/;
    expect((await site.call([])).stdout).toMatch(line);
    expect((await site.call(["fleet", "show"])).stdout).toMatch(line);
    expect((await site.call(["doctor"])).stdout).toMatch(line);
  });

  test("is no line of the overview where it is off", async () => {
    const site = makeSite();
    await site.open();
    expect((await site.call([])).stdout).not.toContain("armed");
    expect((await site.call(["fleet", "show"])).stdout).toMatch(/armed check +off\n/);
  });
});
