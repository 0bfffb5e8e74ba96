import { expect, test } from "vitest";
import { Retries } from "../../src/library/process/retries.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { FakeTimers } from "../runtime/fake-timers.ts";

/** Something that fails each time it is tried, and the instants of its attempts. */
function failing(closing = new AbortController()) {
  const clock = new FakeClock();
  const timers = new FakeTimers(clock);
  const beganMs = clock.monotonicMs();
  const triedAtMs: number[] = [];
  const retries = new Retries({ timers, closing: closing.signal }, (id) => {
    triedAtMs.push(clock.monotonicMs() - beganMs);
    retries.add(id);
  });
  return { timers, retries, triedAtMs };
}

test("[SV28] what cannot be ended is tried again, later each time, and for ever", async () => {
  const { timers, retries, triedAtMs } = failing();
  retries.add("w");
  expect(retries.isWaiting("w")).toBe(true);
  await timers.advance(250_000);
  const s = 1_000;
  expect(triedAtMs).toEqual([
    1 * s,
    3 * s,
    7 * s,
    15 * s,
    31 * s,
    63 * s,
    123 * s,
    183 * s,
    243 * s,
  ]);
});

test("[SV28] asked for twice it is tried once, given up it begins anew", async () => {
  const { timers, retries, triedAtMs } = failing();
  for (const id of ["w", "w", "w"]) retries.add(id);
  await timers.advance(1_000);
  expect(triedAtMs).toEqual([1_000]);
  retries.forget("w");
  expect(retries.isWaiting("w")).toBe(false);
  await timers.advance(100_000);
  expect(triedAtMs).toEqual([1_000]);
  retries.add("w");
  await timers.advance(1_000);
  expect(triedAtMs).toEqual([1_000, 102_000]);
  retries.clear();
  await timers.advance(100_000);
  expect(triedAtMs).toHaveLength(2);
  expect(timers.count).toBe(0);
});

test("[SV28] nothing is tried for a handle that is closing", async () => {
  const closing = new AbortController();
  const { timers, retries, triedAtMs } = failing(closing);
  closing.abort();
  retries.add("w");
  await timers.advance(10_000);
  expect(triedAtMs).toEqual([]);
});
