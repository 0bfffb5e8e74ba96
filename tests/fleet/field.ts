// A fleet with workers that are counted from outside, by two means that share no code with Stint:
// a mark in the arguments of whatever runs of a worker, and the end of a pipe that all of it holds
// open. What happens on a rung of containment is forced by a supervisor that is told its rung.
import { execFileSync } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { makeGround, type Ground } from "../cli/ground.ts";
import { CASES, needsRung, type Case } from "../sandbox/rungs.ts";
import { commandOf, listProcesses, type ProcessRow } from "../support/process-table.ts";

const WORKER = join(import.meta.dirname, "fixtures/worker.sh");

/** Lets every rung run workers; room for all that a test starts. */
const CONFIG = `
[fleet]
name = "field"
[contract]
allow_degraded = ["same_user", "memory", "cpu", "processes", "network"]
`;

/** A rung that a supervisor can be told to use. */
export type Rung = "cgroup" | "pid-namespace" | "process-group";

/** The rungs, best first. */
export const RUNGS: readonly Rung[] = ["cgroup", "pid-namespace", "process-group"];

/** What a worker of a field does: see the fixture. */
export type Kind = "waits" | "ticks" | "forks";

/** A process of a worker, as the process table shows it. */
export interface Living extends ProcessRow {
  readonly instance: string;
}

/** A fleet whose workers are counted from outside. */
export interface Field extends Ground {
  readonly rung: Rung;
  /** What the arguments of its workers begin their mark with. */
  readonly mark: string;
  /** Starts the supervisor on the field's rung and waits until it serves; ends one on another. */
  supervise(): Promise<void>;
  /** What follows `--` in a call that starts a worker of this field. */
  command(kind?: Kind): readonly string[];
  /** Spawns a worker and waits until it runs; answers its id. */
  spawnWorker(kind?: Kind): Promise<string>;
  /** The processes of workers that run, by their arguments. */
  living(): readonly Living[];
  /** Whether anything that a worker has started holds its end of the pipe. */
  isHeld(): boolean;
  /** The instances that were started, once for each start. */
  starts(): readonly string[];
  /** The ids of the workers that live by the journal. */
  liveIds(): Promise<readonly string[]>;
}

/** Begins a fleet in a fresh folder, to be supervised on a rung; ended when the test is over. */
export async function makeField(
  rung: Rung,
  so: { readonly diskBytes?: number } = {},
): Promise<Field> {
  await needsRung(caseOf(rung));
  const ground = await makeGround({ ...so, config: CONFIG });
  const { dir } = ground;
  const mark = `mark-${randomUUID()}`;
  const [held, never] = [join(dir, "held"), join(dir, "never")];
  execFileSync("mkfifo", [held, never]);
  // A checkout in a folder for temporary files is not to be seen from inside.
  const program = join(dir, "worker.sh");
  copyFileSync(WORKER, program);
  const pipe = openSync(held, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(pipe));
  const living = (): readonly Living[] => listMarked(mark);
  const starts = (): readonly string[] => readLines(join(dir, "starts"));
  const command = (kind: Kind = "waits"): readonly string[] => ["sh", program, mark, dir, kind];
  return {
    ...ground,
    rung,
    mark,
    command,
    living,
    starts,
    supervise: () => supervise(ground, rung),
    spawnWorker: async (kind) => {
      const id = await ground.spawn("worker", "--", ...command(kind));
      // Both halves of it.
      await expect
        .poll(() => living().filter((one) => one.instance === id).length)
        .toBeGreaterThan(1);
      return id;
    },
    isHeld: () => isHeld(pipe),
    liveIds: async () => {
      const listed = await ground.done(["workers", "--json"]);
      return listed.json().data.workers.map((one: { readonly id: string }) => one.id);
    },
  };
}

/** Lets others run for some time, at random, up to a bound in ms. */
export async function spin(withinMs: number): Promise<void> {
  const untilMs = performance.now() + randomInt(withinMs + 1);
  while (performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
}

function caseOf(rung: Rung): Case {
  const found = CASES.find(({ name }) => name === rung);
  if (found === undefined) throw new Error(`${rung} must be a rung`);
  return found;
}

async function supervise(ground: Ground, rung: Rung): Promise<void> {
  for (;;) {
    const child = await ground.begin(["supervise", "--dir", ground.stateDir, "--rung", rung]);
    let line = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) line += chunk;
    const answer = JSON.parse(line) as {
      readonly ok: boolean;
      readonly data: { already?: boolean };
    };
    if (!answer.ok) throw new Error(`a supervisor must serve, got ${line}`);
    if (answer.data.already !== true) return;
    // Whoever lost a supervisor has started another, on the best rung.
    ground.killSupervisor();
  }
}

function listMarked(mark: string): readonly Living[] {
  return listProcesses().flatMap((row) => {
    const found = new RegExp(`${mark}:(w-[a-z2-7]+|none)`).exec(commandOf(row.pid));
    return found?.[1] === undefined ? [] : [{ ...row, instance: found[1] }];
  });
}

/** The end of a pipe is read when nobody holds it for writing any more, before that nothing. */
function isHeld(pipe: number): boolean {
  try {
    return readSync(pipe, Buffer.alloc(1)) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return true;
    throw error;
  }
}

function readLines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
}
