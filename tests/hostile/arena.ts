// Where hostile programs are let loose: one fleet for each rung, with a supervisor of that rung, a
// sibling that is to be unharmed, and things of the host that are to stay as they are.
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openFleet, sqlite } from "stint";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { isAlive, listProcesses, type ProcessRow } from "../support/process-table.ts";
import type { Body } from "../supervisor/fixtures/ask.ts";
import { Rig, ROOMY } from "../supervisor/rig.ts";
import type { HostAbility, HostileCase, RungCase } from "./cases.ts";
import { commandOf, type Listeners, openListeners } from "./aims.ts";
import { Traces } from "./traces.ts";

/** The folder of the hostile programs. */
export const PROGRAMS = join(import.meta.dirname, "fixtures");

/** How long a hostile program is waited for, ms. */
export const WITHIN_MS = 20_000;

/** Becomes what it is given in a place where no control groups are mounted. */
const WITHOUT_GROUPS = [
  ["unshare", "--mount", "--propagation", "private", "sh", "-c"],
  ['umount --recursive --lazy /sys/fs/cgroup && exec "$@"', "sh"],
].flat();

/** A worker beside the hostile one. */
export interface Sibling {
  readonly id: string;
  /** Its program, as the host sees it. */
  readonly row: ProcessRow;
}

/** A fleet on a rung, and everything that a hostile worker may be after. */
export class Arena {
  readonly rung: RungCase;
  readonly rig: Rig;
  readonly host: HostAbility;
  readonly isFenced: boolean;
  /** A folder of the host that is nobody's ground. */
  readonly elsewhere: string;
  sibling: Sibling | undefined;
  readonly listeners: Listeners;
  readonly #traces = new Set<Traces>();

  constructor(so: Pick<Arena, "rung" | "rig" | "host" | "isFenced" | "listeners">) {
    [this.rung, this.rig, this.host] = [so.rung, so.rig, so.host];
    [this.isFenced, this.listeners] = [so.isFenced, so.listeners];
    this.elsewhere = mkdtempSync(join(tmpdir(), "stint-elsewhere-"));
    writeFileSync(join(this.elsewhere, "kept"), "as it was");
  }

  /** Lays traces for a hostile program. */
  traces(name: string): Traces {
    const mark = `hostile-${randomUUID()}`;
    const folder = join(realpathSync(this.rig.folder), mark);
    mkdirSync(folder);
    const traces = new Traces(folder, `${name}-${mark}`);
    this.#traces.add(traces);
    return traces;
  }

  /** The command of a hostile program, told of all that it may be after. */
  command({ name }: HostileCase, { mark, folder }: Traces): readonly string[] {
    const { rig, sibling } = this;
    const state = realpathSync(rig.stateDir);
    const ground = realpathSync(rig.folder);
    const aims = {
      state,
      permit: join(state, `permit-${rig.fleet.id}`),
      ground,
      elsewhere: this.elsewhere,
      supervisor: rig.about.pid,
      sibling: sibling?.id ?? "none",
      door: rig.door(sibling?.id ?? "none").dir,
      victim: sibling?.row.pid ?? 0,
      ...this.listeners.aims,
    };
    return commandOf(join(ground, "programs", `${name}.pl`), { mark, folder, aims });
  }

  /** Sees to it that a supervisor and, where it can have one, a sibling are there. */
  async revive(): Promise<void> {
    if (this.isServed() && this.sibling !== undefined && isAlive(this.sibling.row)) return;
    if (!this.isServed()) await superviseOn(this.rig, this.rung);
    const word = `sibling-${randomUUID()}`;
    // It is asked for nothing that a rung could refuse but its leases.
    const order = this.rig.order(["/usr/bin/perl", "-e", "sleep 1 while 1", word]);
    const { body } = await this.rig.operator("/v1/workers", order);
    if (body.refusal?.code === "containment_too_weak") return;
    if (!body.ok) throw new Error(`a sibling must start, the answer was ${JSON.stringify(body)}`);
    const id = order.admission.instance;
    this.sibling = { id, row: await findNamed(word) };
    if (this.isFenced) await this.lend(id, "leased/**");
  }

  /** Has a worker ask for a lease; answers its id. */
  async lend(worker: string, region: string): Promise<string> {
    const body = await this.ask(worker, region);
    if (!body.ok) throw new Error(`${region} must be granted, the answer: ${JSON.stringify(body)}`);
    return `l-${body.seq}`;
  }

  /** Has a worker ask for a lease; answers what it is told. */
  async ask(worker: string, region: string): Promise<Body> {
    const data = { holder: { worker }, region: [region], ttl_ms: 600_000 };
    const command = { id: `c-${randomUUID()}`, command: { kind: "lease.acquire", data } };
    return (await this.rig.worker(worker, "/v1/commands", command)).body;
  }

  /** Whether the supervisor is there. */
  isServed(): boolean {
    const { pid } = this.rig.about;
    return listProcesses().some((row) => row.pid === pid);
  }

  /** What a hostile worker must not change, in words that tell what has. */
  async things(): Promise<Readonly<Record<string, unknown>>> {
    const { rig, sibling } = this;
    const read = (...path: readonly string[]): string => readFileSync(join(...path), "utf8");
    const row = listProcesses().find(({ pid }) => pid === sibling?.row.pid);
    return {
      supervisor: this.isServed(),
      sibling: sibling !== undefined && isAlive(sibling.row) && !"Tt".includes(row?.state ?? "t"),
      siblingStatus: sibling && (await rig.fleet.worker(sibling.id))?.status,
      siblingToken: sibling === undefined ? "none" : rig.door(sibling.id).token(),
      elsewhere: readdirSync(this.elsewhere),
      kept: read(this.elsewhere, "kept"),
      secret: read(rig.stateDir, "secret"),
      operatorToken: rig.operatorToken,
      domain: read("/proc/sys/kernel/domainname"),
      ground: ["leased", "free"].map((name) => [
        readdirSync(join(rig.folder, name)),
        read(rig.folder, name, "kept"),
      ]),
      hooks: readdirSync(join(rig.folder, ".git/hooks")),
    };
  }

  /** Ends the fleet and whatever a hostile program has left. */
  async close(): Promise<void> {
    for (const traces of this.#traces) await traces.end();
    await this.rig.close();
    for (const traces of this.#traces) traces.close();
    rmSync(this.elsewhere, { recursive: true });
    await this.listeners.close();
  }
}

/** Begins a fleet on a rung. */
export async function openArena(rung: RungCase, isFenced: boolean): Promise<Arena> {
  const folder = mkdtempSync(join(tmpdir(), "stint-hostile-"));
  for (const path of ["run", "leased", "free", "lent", ".git/hooks"])
    mkdirSync(join(folder, path), { recursive: true, mode: 0o700 });
  for (const name of ["leased", "free"]) writeFileSync(join(folder, name, "kept"), "as it was");
  cpSync(PROGRAMS, join(folder, "programs"), { recursive: true });
  const sandbox = {
    outputBytes: 2 ** 20,
    openFiles: 256,
    ...(isFenced ? ({ leases: "enforced" } as const) : {}),
  };
  const fleet = await openFleet({
    store: sqlite({ dir: join(folder, ".stint") }),
    contract: { ...ROOMY, allowDegraded: rung.allowed, revokeGraceMs: 500, sandbox },
    supervisor: "none",
    steward: false,
  });
  const rig = new Rig(folder, fleet);
  const degraded = await superviseOn(rig, rung);
  const isRoot = process.getuid?.() === 0;
  const hasGroups = !rung.isBare && (await findCgroups("test-needs")) !== undefined;
  const host = { isRoot, canLift: mayLiftLimits(), hasGroups, degraded };
  return new Arena({ rung, rig, host, isFenced, listeners: await openListeners() });
}

/** Has a fleet supervised; answers what its driver does not hold. */
async function superviseOn(rig: Rig, { rung, isBare }: RungCase): Promise<readonly string[]> {
  // A plain user has none to hide, or the test is skipped.
  const through = isBare && process.getuid?.() === 0 ? WITHOUT_GROUPS : [];
  const { said } = await rig.supervise({ rung, through });
  const degraded = said[0]?.["degraded"];
  if (!Array.isArray(degraded)) throw new Error(`a supervisor must say what it does not hold`);
  return degraded as readonly string[];
}

/** Whether this process may lift hard limits (CAP_SYS_RESOURCE), and its workers as well. */
function mayLiftLimits(): boolean {
  const status = readFileSync("/proc/self/status", "utf8");
  const [, effective = "0"] = /^CapEff:\s+([0-9a-f]+)/m.exec(status) ?? [];
  return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}

/** The process that has a word among its arguments, when it is there. */
async function findNamed(word: string): Promise<ProcessRow> {
  const untilMs = performance.now() + WITHIN_MS;
  while (performance.now() < untilMs) {
    const found = listProcesses().find(({ pid }) => isProgram(pid, word));
    if (found !== undefined) return found;
    await pause(10);
  }
  throw new Error(`a process must have ${word} among its arguments, none has`);
}

/** Whether a process is the program itself: what is on its way to it has the word last, too. */
function isProgram(pid: number, word: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[0] === "/usr/bin/perl" && words.includes(word);
  } catch {
    // It ended since it was listed.
    return false;
  }
}
