// Processes of their own that wait for one piece of ground, without a supervisor and with one that
// dies: none is ever beside another, whoever dies is passed, and everybody else is served.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sqlite, type Fleet } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { foundFleet, killOnTheSpot, LENIENT, supervised } from "../../client/rig.ts";
import { FROM_SOURCE } from "../../support/from-source.ts";
import { makeFolder, openRoomy, SECRET } from "../rig.ts";
import { LONG_MS } from "../lease/rig.ts";

const PROGRAM = fileURLToPath(new URL("./waiter.case.ts", import.meta.url));

interface Waiter {
  readonly holder: string;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

function waiter(dir: string, holder: string, so: readonly [string, "none" | "use"]): Waiter {
  // Beside a supervisor the secret is kept where that finds it.
  const secret = so[1] === "use" ? "" : SECRET;
  const args = [FROM_SOURCE, PROGRAM, dir, secret, holder, ...so];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { holder, child, ended: once(child, "exit") };
}

/** Waits until so many wait. */
async function waited(fleet: Fleet, count: number): Promise<void> {
  if (fleet.waiting().length === count) return;
  for await (const _ of fleet.entries({ follow: true }))
    if (fleet.waiting().length === count) return;
}

/** How often the ground was written to, and in which order by whom. */
function written(dir: string): { readonly count: number; readonly order: readonly string[] } {
  const order = readFileSync(join(dir, "order"), "utf8").trim().split("\n");
  return { count: Number(readFileSync(join(dir, "ground"), "utf8")), order };
}

function prepare(dir: string): void {
  writeFileSync(join(dir, "ground"), "0");
  writeFileSync(join(dir, "order"), "");
}

test("[LB144] without a supervisor each is served, in turn, and never two at once", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  prepare(dir);
  const held = await fleet.acquire({ region: "src/**", holder: "ann", ttlMs: LONG_MS });
  const names = ["a", "b", "c"];
  const all = names.map((holder) => waiter(dir, holder, ["4", "none"]));
  await waited(fleet, names.length);
  await held.release();
  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(names.map(() => [0, null]));
  const { count, order } = written(dir);
  expect(count).toBe(names.length * 4);
  const fences = order.map((line) => Number(line.split(" ")[1]));
  expect(fences).toEqual(fences.toSorted((one, other) => one - other));
  // Whoever comes again comes last: nobody has two turns while another has none.
  const turns = order.slice(0, names.length).map((line) => line.split(" ")[0]);
  expect(new Set(turns)).toEqual(new Set(names));
});

test("[LB144] whoever is killed while it waits is passed when its place is over", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  prepare(dir);
  const held = await fleet.acquire({ region: "src/**", holder: "ann", ttlMs: LONG_MS });
  const dead = waiter(dir, "dead", ["1", "none"]);
  await waited(fleet, 1);
  const next = waiter(dir, "next", ["1", "none"]);
  await waited(fleet, 2);
  dead.child.kill("SIGKILL");
  await dead.ended;
  await held.release();
  expect(await next.ended).toEqual([0, null]);
  expect(written(dir).order.map((line) => line.split(" ")[0])).toEqual(["next"]);
});

test("[LB145] under a supervisor the place of whoever is killed is left at once", async () => {
  const { dir, fleet } = await foundFleet({ contract: LENIENT });
  await supervised(dir);
  prepare(dir);
  await fleet.acquire({ region: "src/**", holder: "ann", ttlMs: LONG_MS });
  const dead = waiter(dir, "dead", ["1", "use"]);
  await waited(fleet, 1);
  const ending = (async () => {
    for await (const entry of fleet.entries({ follow: true }))
      if (entry.kind === "place.left" || entry.kind === "place.lapsed") return entry;
    throw new Error("the fleet was closed");
  })();
  dead.child.kill("SIGKILL");
  // Not by its time: whoever hung up was heard to.
  expect(await ending).toMatchObject({ kind: "place.left", data: { cause: "holder" } });
});

test("[LB145] a supervisor that dies keeps nobody from being served", async () => {
  const { dir, fleet } = await foundFleet({ contract: LENIENT });
  const { row } = await supervised(dir);
  prepare(dir);
  const held = await fleet.acquire({ region: "src/**", holder: "ann", ttlMs: LONG_MS });
  const names = ["a", "b", "c"];
  const all = names.map((holder) => waiter(dir, holder, ["2", "use"]));
  await waited(fleet, names.length);
  await killOnTheSpot(row);
  await held.release();
  expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(names.map(() => [0, null]));
  expect(written(dir).count).toBe(names.length * 2);
});
