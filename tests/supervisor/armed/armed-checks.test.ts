import { expect, test } from "vitest";
import type { Command } from "../../../src/kernel/command.ts";
import type { Entry } from "../../../src/kernel/entry.ts";
import { DEFAULT_CONTRACT, type Contract } from "../../../src/kernel/fleet/contract.ts";
import { INITIAL_STATE, type State } from "../../../src/kernel/state.ts";
import { SYSTEM_TIMERS } from "../../../src/runtime/timers.ts";
import { ArmedChecks } from "../../../src/supervisor/armed/armed-checks.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

const EVERY_MS = 60_000;

/** Armed checks in a world whose time passes when it is told to, and where nothing starts. */
function makeChecks(contract: Partial<Contract>) {
  const clock = new FakeClock();
  const due = new Map<() => void, number>();
  const checks: Command[] = [];
  const listeners = new Set<(entry: Entry) => void>();
  let state: State = {
    ...INITIAL_STATE,
    status: "open",
    contract: { ...DEFAULT_CONTRACT, ...contract },
  };
  const after = (delayMs: number, run: () => void): (() => void) => {
    due.set(run, clock.monotonicMs() + delayMs);
    return () => void due.delete(run);
  };
  const armed = new ArmedChecks({
    seat: {
      clock,
      timers: { ...SYSTEM_TIMERS, after },
      log: { warn: () => undefined, info: () => undefined },
      random: { bytes: (count) => new Uint8Array(count) },
      host: { id: "h-1", process: { host_id: "h-1", pid: 1, started: "1" }, look: () => "unknown" },
      loop: {
        state: () => state,
        onEntry: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
        submit: async (command) => {
          checks.push(command);
          return { ok: true, seq: 1, entries: [] };
        },
      },
    },
    driver: {
      rung: "none",
      start: () => Promise.reject(new Error("nothing starts here")),
      stop: async (instance) => ({
        instance,
        evidence: { grade: "observed", facts: {} },
        outcome: {},
      }),
      forget: async () => undefined,
    },
    onLeft: () => undefined,
  });
  const enact = (changed: Partial<Contract>): void => {
    state = { ...state, contract: { ...state.contract, ...changed } };
    for (const hear of listeners) hear({ kind: "contract.enacted" } as Entry);
  };
  const pass = (ms: number): void => {
    clock.advance(ms);
    for (const [run, atMs] of due) {
      if (atMs > clock.monotonicMs()) continue;
      due.delete(run);
      run();
    }
  };
  const made = async (count: number): Promise<void> => {
    await expect.poll(() => checks.length, { timeout: 10_000, interval: 5 }).toBe(count);
    // The next one is planned when this one is over.
    await expect.poll(() => due.size, { timeout: 10_000, interval: 5 }).toBe(1);
  };
  return { armed, checks, due, enact, pass, made };
}

test("[AC4] a check is made soon and each period, and says why nothing started", async () => {
  const { armed, checks, pass, made } = makeChecks({ armed_every_ms: EVERY_MS });
  pass(1_000);
  await made(1);
  pass(EVERY_MS - 1);
  expect(checks).toHaveLength(1);
  pass(1);
  await made(2);
  expect(checks[1]).toMatchObject({
    kind: "armed.check",
    data: { grade: "observed", rung: "none", problem: "Error: nothing starts here" },
  });
  await armed.close();
});

test("[AC4] checks that are turned on, off, or made more often are so at once", async () => {
  const { armed, checks, due, enact, pass, made } = makeChecks({ armed_every_ms: 0 });
  expect(due.size).toBe(0);
  enact({ armed_every_ms: 10 * EVERY_MS });
  pass(1_000);
  await made(1);
  pass(2 * EVERY_MS);
  enact({ armed_every_ms: EVERY_MS });
  pass(1_000);
  await made(2);
  enact({ armed_every_ms: 0 });
  expect(due.size).toBe(0);
  pass(10 * EVERY_MS);
  expect(checks).toHaveLength(2);
  await armed.close();
});

test("[AC5] a supervisor that leaves makes no more", async () => {
  const { armed, due } = makeChecks({ armed_every_ms: EVERY_MS });
  await armed.close();
  await armed.close();
  expect(due.size).toBe(0);
});
