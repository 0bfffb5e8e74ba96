import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startSupervisor } from "../src/client/start-supervisor.ts";
import { openFleet, sqlite } from "../src/compose/library.ts";
import type { Fleet } from "../src/library/fleet/fleet.ts";
import type { Supervision, SupervisorStatus } from "../src/ports/supervision.ts";
import { isRunning, readProcess, type ProcessIdentity } from "../src/system/process.ts";
import { builtProgram } from "./built.ts";
import { makeFolder } from "./fleet.ts";
import { msOf, type Trials } from "./measure.ts";

/** How long a supervisor may take to be gone when a bench is over, ms. */
const GONE_MS = 20_000;

/** What a call of a program took and said. */
export interface Timed {
  readonly ms: number;
  readonly stdout: string;
}

/** A fleet in a folder of its own, as a user has one, with the built command line. */
export interface Site {
  readonly dir: string;
  readonly stateDir: string;
  /** What programs that belong to it have in their environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Path of the built `bin/stint.cjs`. */
  readonly bin: string;
  /** Calls `stint` in the folder; throws what it printed when it does not exit with 0. */
  call(args: readonly string[]): Promise<Timed>;
  /** Opens the fleet in this process; close it before the site. */
  open(): Promise<Fleet>;
  /** Starts the supervisor and answers how it is. */
  supervise(): Promise<SupervisorStatus>;
  /** Kills the fleet, ends its supervisor and removes the folder. */
  close(): Promise<void>;
}

/** More workers than a bench starts. */
const CONTRACT = { maxReplicas: 5_000, maxTotal: 1_000_000 } as const;

/** What names where a user's state and sockets are, in this process as in those it starts. */
const PLACES = ["XDG_RUNTIME_DIR", "XDG_STATE_HOME"] as const;

/** Founds a fleet in a fresh folder. One site at a time: its places are in this environment. */
export async function makeSite(): Promise<Site> {
  const { bin, cache } = await builtProgram();
  const folder = await makeFolder();
  const dir = folder.path;
  const stateDir = join(dir, ".stint");
  const before = PLACES.map((name) => [name, process.env[name]] as const);
  for (const name of PLACES) process.env[name] = join(dir, name.toLowerCase());
  const env = { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: "1" };
  const open = (): Promise<Fleet> => openFleet({ store: sqlite({ dir: stateDir }) });
  const founded = await openFleet({ store: sqlite({ dir: stateDir }), contract: CONTRACT });
  await founded.close();
  let supervision: Supervision | undefined;
  let supervisor: ProcessIdentity | undefined;
  return {
    dir,
    stateDir,
    env,
    bin,
    open,
    call: (args) => runTimed([process.execPath, bin, ...args], { cwd: dir, env }),
    async supervise() {
      supervision ??= await startSupervisor({ stateDir, command: [process.execPath, bin] });
      const status = await supervision.status();
      supervisor = readProcess(status.pid);
      return status;
    },
    async close() {
      await supervision?.close();
      await endSite(open, supervisor);
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      await folder.remove();
    },
  };
}

/** Prepares trials on a fresh site, which goes with them, and also when preparing them fails. */
export async function onSite(prepare: (site: Site) => Promise<Trials>): Promise<Trials> {
  const site = await makeSite();
  try {
    const trials = await prepare(site);
    const close = async (): Promise<void> => {
      await trials.close();
      await site.close();
    };
    return { ...trials, close };
  } catch (error) {
    await site.close();
    throw error;
  }
}

/** Runs a program to its end. Throws what it printed when it does not exit with 0. */
export async function runTimed(
  [program = "", ...args]: readonly string[],
  so: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Timed> {
  let [stdout, stderr] = ["", ""];
  const ms = await msOf(async () => {
    const child = spawn(program, args, { ...so, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject);
    child.once("close", resolve);
    const exit = await promise;
    if (exit === 0) return;
    throw new Error(`${program} ${args.join(" ")} exited with ${exit}: ${stdout}${stderr}`);
  });
  return { ms, stdout };
}

/** Ends whatever runs; throws when the supervisor does not go. */
async function endSite(
  open: () => Promise<Fleet>,
  supervisor: ProcessIdentity | undefined,
): Promise<void> {
  const fleet = await open();
  const receipt = await fleet.kill({ reason: "the bench is over" });
  await fleet.close();
  if (receipt.survivorCount > 0) throw new Error(`workers are left: ${JSON.stringify(receipt)}`);
  if (supervisor === undefined) return;
  if (isRunning(supervisor)) process.kill(supervisor.pid, "SIGTERM");
  const deadlineMs = performance.now() + GONE_MS;
  while (isRunning(supervisor)) {
    if (performance.now() > deadlineMs)
      throw new Error(`the supervisor ${supervisor.pid} must be gone after ${GONE_MS} ms`);
    await sleep(10);
  }
}
