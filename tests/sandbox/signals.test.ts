import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import type { CountedProcess } from "../../src/sandbox/process/census.ts";
import {
  ask,
  freeze,
  type Lister,
  type Listing,
  sweep,
  thaw,
} from "../../src/sandbox/process/sweep.ts";
import { isRunning, type ProcessStatus, readProcess } from "../../src/system/process.ts";

const deadlineMs = 10_000;
const soon = (): number => performance.now() + deadlineMs;

/** A process in a group of its own that stays for a minute; ended after the test. */
async function stranger(): Promise<CountedProcess> {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  await once(child, "spawn");
  return { ...bearerOf(child.pid ?? Number.NaN), instances: [] };
}

function bearerOf(pid: number): ProcessStatus {
  const status = readProcess(pid);
  if (status === undefined) throw new Error(`process ${pid} must be in /proc`);
  return status;
}

function listing(...members: readonly CountedProcess[]): Listing {
  return { members, includesSelf: false, all: members };
}

/** Lists a process once, or as often as it takes to see it end; then what comes next. */
function inTurn(turns: readonly (CountedProcess | "nothing")[]): Lister {
  const left = [...turns];
  return async () => {
    let [turn] = left;
    while (turn !== undefined && turn !== "nothing" && !isRunning(turn)) {
      left.shift();
      [turn] = left;
    }
    if (turn === "nothing") left.shift();
    return turn === undefined || turn === "nothing" ? listing() : listing(turn);
  };
}

type Deed = readonly [string, "S" | "T", (list: Lister) => Promise<unknown>];

const deeds: readonly Deed[] = [
  ["killed", "S", (list) => sweep(list, soon())],
  ["asked to end", "S", (list) => ask(list, soon())],
  ["frozen", "S", (list) => freeze(list, soon())],
  ["thawed", "T", (list) => thaw(list, soon())],
];

test.each(deeds)("[SB33] the later bearer of a listed pid is not %s", async (_, state, act) => {
  const bearer = await stranger();
  if (state === "T") process.kill(bearer.pid, "SIGSTOP");
  await expect.poll(() => readProcess(bearer.pid)?.state).toBe(state);
  const before = listing({ ...bearer, state, startTicks: bearer.startTicks - 1 });
  const listings = [before, before];
  await act(async () => listings.shift() ?? listing());
  const { startTicks } = bearer;
  expect(readProcess(bearer.pid)).toMatchObject({ startTicks, state });
});

test("[SB33] a listed pid that nobody bears any more is no error", async () => {
  const ended = await stranger();
  process.kill(ended.pid, "SIGKILL");
  await expect.poll(() => readProcess(ended.pid)).toBeUndefined();
  const listings = [listing(ended), listing(ended)];
  expect(await sweep(async () => listings.shift() ?? listing(), soon())).toBe(1);
});

test("[SB11] what shows only in the listing after an empty one is swept", async () => {
  const late = await stranger();
  expect(await sweep(inTurn(["nothing", late]), soon())).toBe(1);
  expect(isRunning(late)).toBe(false);
});

test("[SB11] empty listings end a sweep only in a row", async () => {
  const [first, second] = [await stranger(), await stranger()];
  expect(await sweep(inTurn(["nothing", first, "nothing", second]), soon())).toBe(2);
  expect([first, second].map(isRunning)).toEqual([false, false]);
});
