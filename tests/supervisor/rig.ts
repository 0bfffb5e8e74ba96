// What tests of the supervisor stand on: a state folder with a fleet, supervisors of it as real
// processes, and a client that shares no code with ours.
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openFleet, sqlite, type ContractOptions, type EntryView, type Fleet } from "stint";
import { onTestFinished } from "vitest";
import { ask, type Reply } from "./fixtures/ask.ts";
import {
  environmentOf,
  isAlive,
  listProcesses,
  type ProcessRow,
} from "../support/process-table.ts";

const SUPERVISE = new URL("fixtures/supervise.ts", import.meta.url).pathname;

/** A contract that lets everything through that a test is not about. */
export const ROOMY: ContractOptions = {
  maxDepth: 5,
  maxReplicas: 200,
  lifetimeMs: 600_000,
  reapAfterMs: 60_000,
  allowDegraded: ["same_user", "memory", "cpu", "processes", "network"],
};

/** How long the end of a worker is waited for, and how often it is looked for, ms. */
const endWithinMs = 20_000;
const lookEveryMs = 25;

/** A rung of containment, as a supervisor is told to use it. */
export type Rung = "best" | "cgroup" | "pid-namespace" | "process-group";

/** How a supervisor of a test is started. */
export interface SupervisorOptions {
  readonly idleMs?: number;
  readonly rung?: Rung;
  readonly driver?: object;
  /** A file that tells its store and its driver how to do; see fixtures/obeying.ts. */
  readonly obeys?: string;
  /** A program and its arguments that become the supervisor, and are given its command. */
  readonly through?: readonly string[];
}

/** A supervisor that runs as a process of its own, or has said why it does not. */
export class Supervised {
  readonly child: ChildProcess;
  /** The lines that it has said, parsed. */
  readonly said: Readonly<Record<string, unknown>>[] = [];
  readonly exited: Promise<number | null>;
  readonly #first = Promise.withResolvers<void>();

  constructor(
    stateDir: string,
    so: { readonly runtime: string; readonly args: object; readonly through: readonly string[] },
  ) {
    const args = JSON.stringify({ dir: stateDir, ...so.args });
    const [program, ...words] = [...so.through, process.execPath, SUPERVISE, args];
    this.child = spawn(program, words, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, XDG_RUNTIME_DIR: so.runtime },
    });
    let rest = "";
    this.child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines)
        this.said.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
      if (this.said.length > 0) this.#first.resolve();
    });
    this.exited = new Promise((resolve) => {
      this.child.once("exit", (code) => {
        this.#first.resolve();
        resolve(code);
      });
    });
  }

  /** Resolves when it serves, or has said that it will not. */
  async started(): Promise<this> {
    await this.#first.promise;
    return this;
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}

/** A fleet in a folder, and whoever supervises it. */
export class Rig {
  readonly folder: string;
  readonly stateDir: string;
  readonly fleet: Fleet;
  /** In the environment of every process that is started here. */
  readonly mark = `mark-${randomUUID()}`;
  readonly #supervised = new Set<Supervised>();
  #count = 0;

  constructor(folder: string, fleet: Fleet) {
    this.folder = folder;
    this.stateDir = join(folder, ".stint");
    this.fleet = fleet;
  }

  /** Starts a supervisor and waits until it serves. */
  async supervise(options: SupervisorOptions = {}): Promise<Supervised> {
    const supervised = await this.launch(options).started();
    if (supervised.said[0]?.["ok"] === true) return supervised;
    throw new Error(`a supervisor must serve, it said ${JSON.stringify(supervised.said)}`);
  }

  /** Starts a supervisor and waits for nothing. */
  launch(options: SupervisorOptions = {}): Supervised {
    const { through = [], ...args } = { rung: "process-group", ...options };
    const so = { runtime: join(this.folder, "run"), args, through };
    const supervised = new Supervised(this.stateDir, so);
    this.#supervised.add(supervised);
    return supervised;
  }

  /** What the supervisor wrote down about itself. */
  get about(): { readonly pid: number; readonly socket: string } {
    const text = readFileSync(join(this.stateDir, "supervisor.json"), "utf8");
    return JSON.parse(text) as { readonly pid: number; readonly socket: string };
  }

  get operatorToken(): string {
    return readFileSync(join(this.stateDir, "operator.token"), "utf8").trim();
  }

  /** Asks the supervisor as the operator. */
  operator(path: string, body?: unknown): Promise<Reply> {
    return ask({ socket: this.about.socket, token: this.operatorToken, path, body });
  }

  /** Gives a command as the operator. */
  command(kind: string, data: object, id = `c-${randomUUID()}`): Promise<Reply> {
    return this.operator("/v1/commands", { id, command: { kind, data }, by: BY });
  }

  /** Asks the supervisor as a worker. */
  worker(id: string, path: string, body?: unknown): Promise<Reply> {
    const door = this.door(id);
    return ask({ socket: door.socket, token: door.token(), path, body });
  }

  /** The files of a worker's socket. */
  door(id: string): { readonly dir: string; readonly socket: string; token(): string } {
    const dir = join(this.about.socket, "../w", id);
    const token = (): string => readFileSync(join(dir, "token"), "utf8").trim();
    return { dir, socket: join(dir, "worker.sock"), token };
  }

  /** An order to start a program, each with an instance of its own. */
  order(run: readonly string[], so: { readonly admission?: object; readonly env?: object } = {}) {
    this.#count += 1;
    return {
      id: `order-${this.mark}-${this.#count}`,
      by: BY,
      admission: {
        instance: instanceId(),
        name: "worker",
        parent: null,
        reason: "a test",
        state: {},
        budget: {},
        network: "open",
        ...so.admission,
      },
      run,
      cwd: "/",
      env: { SV_MARK: this.mark, ...so.env },
    };
  }

  /** Starts a program as a worker; answers its id. */
  async start(run: readonly string[], so: { readonly admission?: object } = {}): Promise<string> {
    const order = this.order(run, so);
    const reply = await this.operator("/v1/workers", order);
    if (reply.body.ok) return order.admission.instance;
    throw new Error(`a worker must start, the answer was ${JSON.stringify(reply.body)}`);
  }

  /** The processes of this rig's workers that run now, whoever their parent is. */
  processes(): readonly ProcessRow[] {
    const mark = `SV_MARK=${this.mark}`;
    return listProcesses().filter((row) => isAlive(row) && environmentOf(row.pid).includes(mark));
  }

  /** Everything on record, signed heads left out: they come when they come. */
  async entries(): Promise<readonly EntryView[]> {
    const entries: EntryView[] = [];
    for await (const entry of this.fleet.entries())
      if (entry.kind !== "journal.signed") entries.push(entry);
    return entries;
  }

  /** The entries of a kind about a worker. */
  async entriesAbout(id: string, kind: EntryView["kind"]): Promise<readonly EntryView[]> {
    const entries = await this.entries();
    return entries.filter(
      (entry) => entry.kind === kind && Reflect.get(entry.data, "worker") === id,
    );
  }

  /** Waits until a worker has ended by the journal; answers how. */
  async end(id: string) {
    const deadlineMs = performance.now() + endWithinMs;
    while (performance.now() < deadlineMs) {
      const end = (await this.fleet.worker(id))?.end ?? null;
      if (end !== null) return end;
      await pause(lookEveryMs);
    }
    throw new Error(`${id} must have ended within ${endWithinMs} ms`);
  }

  /** Ends all supervisors and whatever they left. */
  async close(): Promise<void> {
    for (const supervised of this.#supervised) {
      supervised.child.kill("SIGCONT");
      await supervised.kill();
    }
    for (const { pid } of this.processes()) endQuietly(pid);
    await this.fleet.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Who gives the operator's orders here. */
export const BY = { kind: "operator", via: "cli", id: "ada" } as const;

const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** A fresh instance id. */
export function instanceId(): string {
  const bytes = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
  return `w-${[...bytes].map((byte) => letters[byte % 32]).join("")}`;
}

/** Opens a fleet that is gone, with all that was started for it, when the test is over. */
export async function makeRig(contract: ContractOptions = {}): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), "stint-sv-"));
  mkdirSync(join(folder, "run"), { mode: 0o700 });
  const fleet = await openFleet({
    store: sqlite({ dir: join(folder, ".stint") }),
    contract: { ...ROOMY, ...contract },
    supervisor: "none",
    steward: false,
  });
  const rig = new Rig(folder, fleet);
  onTestFinished(() => rig.close());
  return rig;
}

/** Ends a process that is listed; on the upper rungs its supervisor's death may be quicker. */
function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
