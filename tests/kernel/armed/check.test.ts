import { describe, expect, test } from "vitest";
import { armedStanding } from "../../../src/kernel/armed/check.ts";
import type { ArmedSight } from "../../../src/kernel/armed/sight.ts";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";
import type { State } from "../../../src/kernel/state.ts";
import { GRADES, isProof } from "../../../src/kernel/worker/evidence.ts";
import { decodeState, encodeState } from "../../../src/runtime/state-codec.ts";
import {
  after,
  ask,
  create,
  enact,
  given,
  kill,
  pause,
  SUPERVISOR,
  type Ask,
  type Step,
} from "../../support/scenario.ts";

const EVERY_MS = 60_000;
const armed = create({ armed_every_ms: EVERY_MS, armed_action: "pause" });

function stateAfter(...steps: readonly Step[]): State {
  return given(steps).play.state;
}

function check(sight: Partial<ArmedSight> = {}): Ask {
  const data = { grade: "observed", rung: "a rung", took_ms: 12, ...sight } as const;
  return ask("armed.check", data, { by: SUPERVISOR });
}

describe("[AC1] an armed check is one entry, and the state keeps the newest", () => {
  test("one that has passed", () => {
    const play = given(armed, after(5))
      .when(check())
      .happens({
        kind: "armed.checked",
        data: { ok: true, grade: "observed", rung: "a rung", took_ms: 12 },
      });
    const { armed: last, at_ms } = play.state;
    expect(last).toEqual({ ok: true, grade: "observed", rung: "a rung", took_ms: 12, at_ms });
    expect(decodeState(encodeState(play.state))?.armed).toEqual(last);
    expect(play.state.live_count + play.state.total_count).toBe(0);
  });

  test("the next one takes its place", () => {
    const play = given(armed, check(), after(EVERY_MS)).when(check({ took_ms: 99 })).play;
    expect(play.state.armed).toMatchObject({ took_ms: 99, at_ms: play.state.at_ms });
  });

  test("of a killed fleet there is none", () => {
    given(armed, kill).when(check()).refused("fleet_killed");
  });
});

describe("[AC2] a check passes by proof of the canary's end alone", () => {
  test.each(GRADES)("an end that is %s", (grade) => {
    const { armed: last } = stateAfter(create({ armed_every_ms: EVERY_MS }), check({ grade }));
    const problem = `the canary's end must be proven, its evidence is "${grade}"`;
    expect(last).toMatchObject(isProof(grade) ? { ok: true } : { ok: false, problem });
  });

  test("no end, and a problem whatever the grade is", () => {
    const none = stateAfter(armed, check({ grade: null })).armed;
    expect(none).toMatchObject({
      ok: false,
      problem: "the canary's end must be proven, its evidence is none",
    });
    const problem = "2 processes are left";
    expect(stateAfter(armed, check({ problem })).armed).toMatchObject({ ok: false, problem });
  });
});

describe("[AC3] a check that has failed pauses the fleet in the same decision", () => {
  test("where the contract says so", () => {
    const play = given(armed)
      .when(check({ grade: "swept" }))
      .happens("armed.checked", {
        kind: "fleet.paused",
        data: {
          reason:
            'the armed check has failed: the canary\'s end must be proven, its evidence is "swept"',
        },
      });
    expect(play.state.status).toBe("paused");
  });

  test("and pauses no fleet that is paused, nor one whose check has passed", () => {
    given(armed, pause)
      .when(check({ grade: null }))
      .happens("armed.checked");
    expect(stateAfter(armed, check()).status).toBe("open");
  });

  test("and none that is only to show it, or has turned it off meanwhile", () => {
    const shows = stateAfter(armed, enact({ armed_action: "show" }), check({ grade: null }));
    expect(shows.status).toBe("open");
    const off = stateAfter(armed, enact({ armed_every_ms: 0 }), check({ grade: null }));
    expect(off).toMatchObject({ status: "open", armed: { ok: false } });
  });
});

describe("[AC7] a fleet stands with its checks", () => {
  const passed = { ok: true, grade: "observed", rung: "x", took_ms: 1, at_ms: 1_000 } as const;
  const on = { ...DEFAULT_CONTRACT, armed_every_ms: EVERY_MS };

  test.each([
    { standing: "off", contract: DEFAULT_CONTRACT, last: passed, nowMs: 1_000 },
    { standing: "never", contract: on, last: null, nowMs: 1_000 },
    { standing: "proven", contract: on, last: passed, nowMs: 1_000 + 2 * EVERY_MS },
    { standing: "failed", contract: on, last: { ...passed, ok: false }, nowMs: 1_000 },
    { standing: "overdue", contract: on, last: passed, nowMs: 1_001 + 2 * EVERY_MS },
    { standing: "overdue", contract: on, last: { ...passed, ok: false }, nowMs: 10 * EVERY_MS },
  ] as const)("$standing", ({ standing, contract, last, nowMs }) => {
    expect(armedStanding({ contract, armed: last }, nowMs)).toBe(standing);
  });
});
