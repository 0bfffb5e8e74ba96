import { expect, test } from "vitest";
import {
  startService,
  stopService,
  type HeardInstance,
  type ServiceWorld,
} from "../../../src/library/service/acting.ts";
import type { ServiceKeeper, ServiceSight, ServiceTold } from "../../../src/ports/service.ts";

const RUNNING: ServiceSight = { kind: "running" };
const NOT_RUNNING: ServiceSight = { kind: "not_running" };
const UNKNOWN: ServiceSight = { kind: "unknown" };

const one = (
  status: HeardInstance["status"],
  count = 1,
  instance = "i1",
): readonly HeardInstance[] => [{ instance, status, count }];

/** What is seen before the service is told, and at each look after that; the last one stays. */
interface Play {
  readonly sights: readonly ServiceSight[];
  readonly heard: readonly (readonly HeardInstance[] | undefined)[];
  readonly told?: ServiceTold;
}

function world({ sights, heard, told = { ok: true } }: Play) {
  const orders: string[] = [];
  const looks = [...sights];
  const rolls = [...heard];
  let nowMs = 0;
  const keeper: ServiceKeeper = {
    look: async () => (looks.length > 1 ? looks.shift() : looks[0]) ?? UNKNOWN,
    start: async () => {
      orders.push("start");
      return told;
    },
    stop: async () => {
      orders.push("stop");
      return told;
    },
  };
  const so: ServiceWorld = {
    keeper,
    heard: async () => (rolls.length > 1 ? rolls.shift() : rolls[0]),
    timers: {
      wait: async (ms) => {
        nowMs += ms;
      },
    },
    nowMs: () => nowMs,
    withinMs: 1_000,
  };
  return { so, orders };
}

test("[SE6] a service that a command starts has started when a new beat is heard", async () => {
  const { so, orders } = world({ sights: [UNKNOWN], heard: [[], [], one("ok")] });
  expect(await startService("api", so)).toEqual({
    name: "api",
    action: "start",
    outcome: "started",
    took_ms: 250,
  });
  expect(orders).toEqual(["start"]);
});

test("[SE6] a command that exits with 0 and brings no beat has failed", async () => {
  const silent = world({ sights: [UNKNOWN], heard: [[]] });
  expect(await startService("api", silent.so)).toMatchObject({
    outcome: "failed",
    detail: "it was told to start; no beat of it was heard within 1000 ms",
  });
  const blind = world({ sights: [UNKNOWN], heard: [undefined] });
  expect(await startService("api", blind.so)).toMatchObject({
    outcome: "failed",
    detail: "it was told to start; there is no roll to hear it on",
  });
});

test("[SE6] the beat of one that was there before is no beat of what was started", async () => {
  const { so } = world({ sights: [UNKNOWN], heard: [one("stale", 7), one("ok", 7)] });
  expect(await startService("api", so)).toMatchObject({ outcome: "failed" });
  const again = world({ sights: [UNKNOWN], heard: [one("stale", 7), one("ok", 8)] });
  expect(await startService("api", again.so)).toMatchObject({ outcome: "started" });
});

test("[SE7] what runs is not started again: by its unit, else by its beats", async () => {
  const unit = world({ sights: [RUNNING], heard: [[]] });
  expect(await startService("api", unit.so)).toMatchObject({
    outcome: "already_running",
    detail: "it runs, and is not heard",
  });
  const beating = world({ sights: [UNKNOWN], heard: [one("ok")] });
  expect(await startService("api", beating.so)).toMatchObject({ outcome: "already_running" });
  expect([...unit.orders, ...beating.orders]).toEqual([]);
});

test("[SE7] a unit that does not run is started, whatever was heard of it", async () => {
  const { so, orders } = world({ sights: [NOT_RUNNING, RUNNING], heard: [one("ok", 3)] });
  expect(await startService("api", so)).toMatchObject({
    outcome: "started",
    detail: "it runs; no beat of it was heard within 1000 ms",
  });
  expect(orders).toEqual(["start"]);
});

test("[SE7] what is not installed, and what fails, is said with its reason", async () => {
  const missing: ServiceSight = { kind: "not_installed", detail: "unit api.service is not-found" };
  const none = world({ sights: [missing], heard: [[]] });
  expect(await startService("api", none.so)).toMatchObject({
    outcome: "not_installed",
    detail: "unit api.service is not-found",
  });
  expect(none.orders).toEqual([]);
  const told = { ok: false, kind: "failed", detail: "it exited with 3" } as const;
  const failing = world({ sights: [UNKNOWN], heard: [[]], told });
  expect(await startService("api", failing.so)).toMatchObject({
    outcome: "failed",
    detail: "it exited with 3",
  });
});

test("[SE8] a service has stopped when it is said to have, or has gone silent", async () => {
  const unit = world({ sights: [RUNNING, RUNNING, NOT_RUNNING], heard: [one("ok")] });
  expect(await stopService("api", unit.so)).toMatchObject({ outcome: "stopped", took_ms: 250 });
  for (const end of ["stopped", "stale"] as const) {
    const { so } = world({ sights: [UNKNOWN], heard: [one("ok"), one("stopping"), one(end)] });
    expect(await stopService("api", so)).toMatchObject({ outcome: "stopped" });
  }
});

test("[SE8] a stop after which it is still heard has failed", async () => {
  const { so } = world({ sights: [UNKNOWN], heard: [one("ok")] });
  expect(await stopService("api", so)).toMatchObject({
    outcome: "failed",
    detail: "it was told to stop; it was still there after 1000 ms",
  });
  const unit = world({ sights: [RUNNING], heard: [one("ok"), one("stopped")] });
  expect(await stopService("api", unit.so)).toMatchObject({ outcome: "failed" });
});

test("[SE8] an end that nothing can show is not claimed, and is ordered all the same", async () => {
  for (const [before, what] of [
    [[], "nothing was heard of it"],
    [one("stale"), "it was silent"],
  ] as const) {
    const { so, orders } = world({ sights: [UNKNOWN], heard: [before] });
    expect(await stopService("api", so)).toMatchObject({
      outcome: "failed",
      detail: `it was told to stop; ${what} before: its end cannot be seen`,
    });
    expect(orders).toEqual(["stop"]);
  }
});

test("[SE8] what does not run is not told to stop", async () => {
  const unit = world({ sights: [NOT_RUNNING], heard: [one("ok")] });
  const gone = world({ sights: [UNKNOWN], heard: [one("stopped")] });
  for (const { so, orders } of [unit, gone]) {
    expect(await stopService("api", so)).toMatchObject({ outcome: "not_running" });
    expect(orders).toEqual([]);
  }
});
