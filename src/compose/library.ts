// The one file that knows every adapter: it puts the library together with this machine.

import "../system/recent-node.ts";
import { resolve } from "node:path";
import { startSupervisor } from "../client/start-supervisor.ts";
import { connectSupervisor } from "../client/supervisor.ts";
import { exportLines, importFile, type Imported, type ImportOptions } from "../journal/jsonl.ts";
import { memoryJournal } from "../journal/memory.ts";
import { openSqliteJournal } from "../journal/sqlite/open.ts";
import { verifyJournal } from "../journal/verify.ts";
import type { ProcessIdentity } from "../kernel/command.ts";
import { joinFleetIn, type JoinedWorker, type JoinOptions } from "../library/fleet/join.ts";
import { demandOptions } from "../library/given-options.ts";
import { settleImported } from "../library/recovery/importing.ts";
import { openFleetIn } from "../library/fleet/open-fleet.ts";
import type { FleetOptions } from "../library/fleet/options.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit, holdsPermit, memoryPermit } from "../permit/permit.ts";
import type { OpenStore, Store } from "../library/fleet/store.ts";
import type { Fleet } from "../library/fleet/fleet.ts";
import type { Host } from "../library/host.ts";
import type { Surroundings } from "../library/seat.ts";
import { SILENT } from "../ports/log.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import { memoryPulse } from "../pulse/memory.ts";
import { openSqlitePulse } from "../pulse/sqlite.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { openSandboxes } from "../sandbox/drivers.ts";
import { ensureSecretFile, readSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { readBootId } from "../system/boot.ts";
import { systemClock } from "../system/clock.ts";
import { lookAtGround } from "../system/ground/ground.ts";
import { hostId } from "../system/host.ts";
import { permitFile, statePlaces } from "../system/places.ts";
import { isRunning, ownIdentity } from "../system/process.ts";
import { systemRandom } from "../system/random.ts";
import { commandLine } from "./command-line.ts";
import { whoami } from "./whoami.ts";

/**
 * Opens a fleet, creating it where the store is empty. Close it when done.
 *
 * Throws an InputError for wrong options, and for a contract that differs from the one in force;
 * `Fault` `key_mismatch` for another secret, and the faults of the store.
 */
export async function openFleet(options: FleetOptions): Promise<Fleet> {
  return openFleetIn(thisMachine(), options);
}

/** Opens a fleet as {@link openFleet} does, for the command line: its entries say so. */
export async function openFleetForCli(options: FleetOptions): Promise<Fleet> {
  return openFleetIn({ ...thisMachine(), via: "cli" }, options);
}

/** Joins the fleet that this process was started for; see {@link joinFleetIn}. */
export async function joinFleet(options: JoinOptions = {}): Promise<JoinedWorker> {
  return joinFleetIn({ ...thisMachine(), storeAt: ({ dir }) => sqlite({ dir }) }, options);
}

/**
 * The lines of a fleet's journal, each with its newline, hashes intact: one per entry and a last
 * one that says that it is whole. What is appended meanwhile is left out. Throws `Fault`
 * `journal_missing` where there is no journal, and those of the store.
 */
export async function* exportJournal(store: Store): AsyncGenerator<string> {
  // A mistyped folder must not look like an empty fleet that was backed up.
  const opened = await store.open({ create: false });
  try {
    yield* exportLines(opened.journal);
  } finally {
    await opened.close();
  }
}

/** What to import: a file, and whether one that breaks off is taken as far as it goes. */
export type ImportJournalOptions = ImportOptions;

/** What an import took over. */
export type ImportedJournal = Imported;

/**
 * Takes an exported journal over into an empty store, hashes intact, all or nothing. A fleet that
 * was not killed is paused then: the one it was exported from may still be at work.
 *
 * Throws `Fault` `journal_truncated`, naming file and line, when the file breaks off and that is
 * not accepted; `journal_corrupt` when a line is broken, `journal_forked` when the store is not
 * empty.
 */
export async function importJournal(
  store: Store,
  options: ImportJournalOptions,
): Promise<ImportedJournal> {
  const opened = await store.open();
  try {
    const imported = await importFile(opened.journal, options);
    await settleImported(opened, thisMachine());
    return imported;
  } finally {
    await opened.close();
  }
}

/**
 * A store in this process's memory: gone with it, and of no use to other processes. Handles that
 * are opened on the same store share the fleet.
 */
export function memory(): Store {
  const { clock, random } = thisMachine();
  const shared: OpenStore = {
    journal: memoryJournal({ clock }),
    pulse: memoryPulse({ clock, random }),
    permit: memoryPermit(),
    // It belongs to nobody in particular, and goes when nobody holds it.
    close: async () => undefined,
  };
  return { kind: "memory", open: async () => shared };
}

/** Where a fleet in SQLite lies. */
export interface SqliteOptions {
  /** The state folder, on a local file system; created when it is missing. */
  readonly dir: string;
}

/** A store in a folder of this host, which any number of its processes may open. */
export function sqlite(options: SqliteOptions): Store {
  demandOptions(options, ["dir"], "{ dir: FOLDER }");
  const { dir } = options;
  if (typeof dir !== "string" || dir === "" || dir.includes("\0"))
    throw new InputError("usage", [
      { path: "dir", expected: "the path of a folder", got: describeValue(dir) },
    ]);
  const folder = resolve(dir);
  return { kind: "sqlite", open: ({ create = true } = {}) => openSqlite(folder, create) };
}

async function openSqlite(folder: string, mayCreate: boolean): Promise<OpenStore> {
  const { clock, random } = thisMachine();
  // Where a fleet was permitted there was a journal: it is missing, and not to be begun anew.
  const create = mayCreate && !(await holdsPermit(folder));
  const journal = await openSqliteJournal({ folder, clock, create });
  try {
    const pulse = await openSqlitePulse({ file: statePlaces(folder).pulse, clock, random });
    return {
      journal,
      pulse,
      permit: filePermit(folder, killedFleetsOfUser()),
      address: {
        kind: "sqlite",
        dir: folder,
      },
      readSecret: ({ create }) => {
        const file = statePlaces(folder).secret;
        return create ? ensureSecretFile(file) : readSecretFile(file);
      },
      openSandbox: (fleet) =>
        openSandboxes({
          stateFolder: folder,
          fleet,
          host: hostId(),
          permitFile: permitFile(folder, fleet),
        }),
      supervisor: {
        connect: () => connectSupervisor({ stateDir: folder }),
        start: () => startSupervisor({ stateDir: folder, command: commandLine() }),
      },
      close: async () => {
        await pulse.close();
        await journal.close();
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

let machine: Surroundings | undefined;

/** This machine, as the library sees it; read once. */
export function thisMachine(): Surroundings {
  machine ??= {
    via: "library",
    clock: systemClock(),
    random: systemRandom(),
    timers: SYSTEM_TIMERS,
    host: thisHost(),
    log: SILENT,
    openSigner,
    verifyJournal,
    lookAtGround,
    // Only who judges holders needs it.
    readCommits: async (query) => (await import("../system/git/commits.ts")).readCommits(query),
  };
  return machine;
}

function thisHost(): Host {
  const id = hostId();
  const bootId = readBootId();
  const own = ownIdentity();
  const started = (startTicks: number): string => `${bootId}/${startTicks}`;
  return {
    id,
    ...whoami(),
    process: { host_id: id, pid: own.pid, started: started(own.startTicks) },
    look: (identity) => (own.startTicks === 0 ? "unknown" : look(identity, { id, bootId })),
  };
}

/** Of another boot nothing is left; of another host nothing can be said. */
function look(
  { host_id, pid, started }: ProcessIdentity,
  host: { readonly id: string; readonly bootId: string },
): "alive" | "gone" | "unknown" {
  if (host_id !== host.id) return "unknown";
  const slash = started.lastIndexOf("/");
  const startTicks = Number(started.slice(slash + 1));
  if (slash < 0 || !Number.isSafeInteger(startTicks)) return "unknown";
  if (started.slice(0, slash) !== host.bootId) return "gone";
  return isRunning({ pid, startTicks }) ? "alive" : "gone";
}
