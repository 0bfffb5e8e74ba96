// What lapses in a decision is dropped from the state before its command is judged, and whoever
// looked before the decision still found it there: found by the simulator.
import { describe, expect, test } from "vitest";
import type { Refusal } from "../../../src/kernel/refusal.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  given,
  idOf,
  kill,
  KEY,
  pause,
  resume,
  start,
  stop,
  type Step,
} from "../../support/scenario.ts";

const short = { register_within_ms: 1_000, on_orphan: "keep" } as const;

/** What is answered at the very instant in which the reservation of `a` lapses. */
function answerTo(step: Step, before: readonly Step[] = [admit("a")]): Refusal | null {
  const { decision } = given(create(short), before, after(1_000)).when(step);
  expect(decision.events[0]?.kind).toBe("worker.lapsed");
  return decision.refusal;
}

describe("a reservation that lapses in the very decision about it", () => {
  test("[AD13] its instance id is not free again (replication A11)", () => {
    const facts = { instance: idOf("a") };
    expect(answerTo(admit("a"))).toMatchObject({ code: "instance_taken", facts });
  });

  test("[AD13] it has ended, it is not unknown", () => {
    const ended = { code: "worker_ended", facts: { worker: idOf("a") } };
    expect(answerTo(stop("a"))).toMatchObject(ended);
    expect(answerTo(charge("a", { cpu_ms: 1 }))).toMatchObject(ended);
    const facts = { parent: idOf("a"), status: "stopped" };
    const refusal = answerTo(admit("b", { under: "a" }));
    expect(refusal).toMatchObject({ code: "parent_not_running", facts });
  });

  test("[AD13] a dead parent that only its reservation kept in the state has ended too", () => {
    const orphaned = [...start("p"), admit("a", { under: "p" }), exited("p")];
    const facts = { worker: idOf("p") };
    expect(answerTo(stop("p"), orphaned)).toMatchObject({ code: "worker_ended", facts });
  });
});

test("[KF3] whatever is refused to a killed fleet names the fleet", () => {
  const rotate = ask("key.rotate", { key: { ...KEY, key_id: "k2" } });
  for (const step of [enact({ max_depth: 1 }), pause, resume, rotate]) {
    const { refusal } = given(create(), kill).when(step).decision;
    expect(refusal).toMatchObject({ code: "fleet_killed", facts: { fleet: "f-plays" } });
  }
});
