import { expect, test } from "vitest";
import { DEFAULT_CONTRACT, wholeContract } from "../../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  after,
  ask,
  create,
  given,
  hits,
  idOf,
  kill,
  OPERATOR,
  quarantine,
  self,
  start,
  START_MS,
  stop,
  SUPERVISOR,
  SYSTEM,
  type Ask,
} from "../../support/scenario.ts";

const MINUTE_MS = LIMITS.limitHitEveryMs;

const memory = (count: number) => ({ limit: "memory_bytes", count }) as const;
const processes = (count: number) => ({ limit: "processes", count }) as const;

/** An end of the worker a, with what it was found to have hit. */
function endWith(...told: Parameters<typeof hits>[1][]): Ask {
  const limits_hit = told.map((hit) => ({ value: 10, use: 10, ...hit }));
  const evidence = { grade: "observed", facts: {} } as const;
  const data = { worker: idOf("a"), evidence, outcome: { exit_code: 0 }, limits_hit };
  return ask("worker.exited", data, { by: SUPERVISOR });
}

test("[LH1] what a worker was seen to hit is an entry with limit, value, use and count", () => {
  const play = given(create(), start("a"), after(5))
    .when(hits("a", { limit: "processes", value: 10, use: 9, count: 37 }, memory(1)))
    .happens(
      {
        kind: "worker.limit_hit",
        data: { worker: idOf("a"), limit: "processes", value: 10, use: 9, count: 37 },
      },
      { kind: "worker.limit_hit", data: { worker: idOf("a"), ...memory(1), value: 10, use: 10 } },
    );
  expect(play.worker("a").limits_hit).toStrictEqual({
    processes: { value: 10, use: 9, count: 37, at_ms: START_MS + 5 },
    memory_bytes: { value: 10, use: 10, count: 1, at_ms: START_MS + 5 },
  });
  expect(play.worker("a").status).toBe("running");
});

test.each([
  { who: "an operator", by: OPERATOR },
  { who: "the worker itself", by: self("a") },
  { who: "the system", by: SYSTEM },
])("[LH1] nobody but a supervisor says so: $who", ({ by }) => {
  const told = hits("a", memory(1));
  given(create(), start("a"))
    .when((play) => ({ ...told(play), by }))
    .refused("not_authorised");
});

test.each([
  { waitMs: MINUTE_MS - 1, count: 9, told: 0 },
  { waitMs: MINUTE_MS, count: 9, told: 1 },
  { waitMs: MINUTE_MS, count: 1, told: 0 },
  { waitMs: 10 * MINUTE_MS, count: 1, told: 0 },
])("[LH1] a limit is told again after a minute if hit again: $waitMs, $count", (so) => {
  const expected = { kind: "worker.limit_hit", data: { count: so.count } } as const;
  given(create(), start("a"), hits("a", processes(1)), after(so.waitMs))
    .when(hits("a", processes(so.count)))
    .happens(...(so.told === 0 ? [] : [expected]));
});

test("[LH1] each limit has its own minute, and each worker", () => {
  given(create(), start("a"), start("b"), hits("a", processes(1)))
    .when(hits("a", processes(2), memory(1)))
    .happens({ kind: "worker.limit_hit", data: { limit: "memory_bytes" } });
  given(create(), start("a"), start("b"), hits("a", processes(1)))
    .when(hits("b", processes(2)))
    .happens({ kind: "worker.limit_hit", data: { worker: idOf("b") } });
});

test("[LH1] it is told of whoever lives: in quarantine, told to stop, in a killed fleet", () => {
  for (const step of [quarantine("a"), stop("a"), kill])
    given(create(), start("a"), step)
      .when(hits("a", processes(1)))
      .happens("worker.limit_hit");
});

test("[LH2] what was hit before the end is on record before it, whatever the minute", () => {
  given(create(), start("a"), hits("a", processes(1)), after(1))
    .when(endWith(processes(3), memory(1)))
    .happens(
      { kind: "worker.limit_hit", data: { limit: "processes", count: 3 } },
      { kind: "worker.limit_hit", data: { limit: "memory_bytes", count: 1 } },
      "worker.stopped",
    );
  given(create(), start("a"), hits("a", processes(3)))
    .when(endWith(processes(3)))
    .happens("worker.stopped");
});

test("[LH2] after the end nothing is told any more", () => {
  const late = hits("a", memory(1));
  given(create(), start("a"), endWith(memory(1)))
    .when((play) => ({ ...late(play), ended: idOf("a") }))
    .refused("worker_ended");
  // One whose descendants live stays in the state, with nothing to tell of it.
  const play = given(
    create({ on_orphan: "keep" }),
    start("a"),
    start("b", { under: "a" }),
    hits("a", memory(1)),
  )
    .when(endWith(memory(2)))
    .happens("worker.limit_hit", "worker.stopped");
  expect(play.worker("a").limits_hit).toStrictEqual({});
});

test("[LH7] a contract of before has the limits of a new one that says nothing", () => {
  const { open_files: _, output_bytes: __, ...older } = DEFAULT_CONTRACT.sandbox;
  const recorded = { ...DEFAULT_CONTRACT, sandbox: { ...older, scratch_bytes: 2 ** 20 } };
  const { sandbox } = wholeContract(recorded as typeof DEFAULT_CONTRACT);
  expect(sandbox).toStrictEqual({ ...DEFAULT_CONTRACT.sandbox, scratch_bytes: 2 ** 20 });
});
