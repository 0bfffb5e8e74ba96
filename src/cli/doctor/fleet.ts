import { accessSync, constants, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { InspectedStore } from "../../compose/record/inspection.ts";
import type { State } from "../../kernel/state.ts";
import { Fault } from "../../ports/fault.ts";
import { durationText } from "../text/duration.ts";
import { countText, sizeText } from "../text/size.ts";
import { readTail } from "../record/tail.ts";
import { checkArchive } from "./archive.ts";
import { checkArmed } from "./armed.ts";
import { attempt, good, skipped, type Check } from "./check.ts";
import { checkRuntimeFolder } from "./host.ts";
import { lookAtSupervisor } from "./supervisor.ts";

/** How many of the newest entries are verified; `stint journal verify` does them all. */
const entriesMax = 256;

/** Less free space than this is said before it is a fault. */
const freeBytesMin = 64 * 1_024 * 1_024;

/** A fleet whose state could be read: the whole of its journal was folded or a snapshot trusted. */
export interface FleetToCheck {
  readonly stateDir: string;
  /** Reads the fleet's state. Throws the faults of the store. */
  read(): Promise<State>;
}

/** Looks at one fleet: its folder, secret, permit, journal, clock and supervisor. */
export async function checkFleet(fleet: FleetToCheck): Promise<readonly Check[]> {
  const { stateDir } = fleet;
  const folder = await checkFolder(stateDir);
  if (folder.status === "failed") return [folder];
  const checks = [folder, await checkFreeSpace(stateDir), await checkRuntimeFolder(stateDir)];
  const { openStore } = await import("../../compose/record/inspection.ts");
  let opened: InspectedStore;
  try {
    opened = await openStore(stateDir);
  } catch (error) {
    // That is the finding: nothing can be said about what it would hold.
    const thrown = (): never => {
      throw error;
    };
    return [...checks, await attempt("journal", thrown, REMEDIES)];
  }
  try {
    const journal = await attempt("journal", () => checkJournal(opened), REMEDIES);
    checks.push(journal, await attempt("clock", () => checkClock(opened), REMEDIES));
    checks.push(await attempt("archive", () => checkArchive(opened.journal), REMEDIES));
    let state: State | undefined;
    const looked = await attempt(
      "state",
      async () => {
        state = await fleet.read();
        return good("state", `fleet ${state.fleet ?? "none"}, ${state.status}`);
      },
      REMEDIES,
    );
    checks.push(looked);
    if (state !== undefined) checks.push(...(await checkKeys(stateDir, state, opened)));
    const armed = state === undefined ? [] : [checkArmed(state, Date.now())];
    return [...checks, await checkSupervisor(stateDir), ...armed];
  } finally {
    await opened.close();
  }
}

const REMEDIES = {
  journal_corrupt: "stint journal verify names the entry; restore a backup of the state folder",
  journal_truncated: "restore a newer backup, or see what is lost: stint fleet recover",
  journal_forked: "two copies of the state folder were in use; keep the one that is right",
  journal_newer: "use the Stint that wrote it, or a newer one",
  journal_missing: "restore a backup of the state folder, or begin anew: stint init --new-fleet",
  archive_broken: "put the file back, from a backup of `segments` in the state folder",
  clock_skew: "set the host's clock right, or accept it as it is: stint fleet accept-clock",
  storage_busy: "another process holds the journal; see which: fuser journal.db",
  storage_full: "free some space on the disk",
  network_filesystem: "keep the repository, or the state folder, on a disk of this host",
  secret_missing: "lay the fleet's secret into the state folder as `secret`, mode 0600",
  key_mismatch: "lay the secret that the fleet was created with into the state folder",
  storage_failed: "make the state folder this user's own, mode 0700",
} as const;

function checkFolder(stateDir: string): Promise<Check> {
  const look = async (): Promise<Check> => {
    const { demandLocalFileSystem } = await import("../../compose/record/inspection.ts");
    demandLocalFileSystem(stateDir);
    try {
      accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch {
      // Another user's: nothing can be kept there.
      throw new Fault("storage_failed", `${stateDir} must be readable and writable, it is not`);
    }
    const mode = statSync(stateDir).mode & 0o777;
    const name = "state folder";
    if ((mode & 0o022) === 0) return good(name, `${stateDir}, on a file system of this host`);
    const detail = `${stateDir} may be written by others, its mode is ${octal(mode)}`;
    const costs = "whoever may write there can take the fleet's files away";
    return { name, status: "weaker", detail, costs, remedy: `chmod go-w ${stateDir}` };
  };
  return attempt("state folder", look, REMEDIES);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function checkFreeSpace(stateDir: string): Promise<Check> {
  return attempt("free space", () => {
    const { bavail, bsize } = statfsSync(stateDir);
    const freeBytes = bavail * bsize;
    const detail = `${sizeText(freeBytes)} where the state folder lies`;
    if (freeBytes >= freeBytesMin) return good("free space", detail);
    const costs = "on a full disk nothing is admitted; a kill still works";
    return {
      name: "free space",
      status: "weaker",
      detail,
      costs,
      remedy: REMEDIES.storage_full,
    };
  });
}

async function checkJournal({ journal }: InspectedStore): Promise<Check> {
  const { seq } = await journal.head();
  let count = 0;
  const fromSeq = Math.max(1, seq - entriesMax + 1);
  for await (const _ of readTail(journal, { fromSeq })) count += 1;
  return good("journal", `ends at entry ${seq}; the newest ${count} are as they were written`);
}

/** An append of nothing asks the clock, the lock and the disk, and writes nothing. */
async function checkClock({ journal }: InspectedStore): Promise<Check> {
  const outcome = await journal.append(await journal.head(), () => []);
  if (outcome.kind === "moved") return good("clock", "others are writing right now");
  const aheadMs = outcome.atMs - Date.now();
  const isNear = Math.abs(aheadMs) < 1_000;
  const off = isNear ? "" : `, ${durationText(Math.abs(aheadMs))} off the wall clock`;
  return good("clock", `agrees with journal time${off}`);
}

async function checkKeys(
  stateDir: string,
  state: State,
  opened: InspectedStore,
): Promise<readonly Check[]> {
  const { keptKeyId } = await import("../../compose/record/inspection.ts");
  const secret = await attempt(
    "secret",
    () => {
      const keyId = keptKeyId(stateDir);
      if (keyId === state.key.key_id) return good("secret", `mode 0600, key ${keyId}`);
      const message = `the secret must make the key ${state.key.key_id}, it makes ${keyId}`;
      throw new Fault("key_mismatch", message);
    },
    REMEDIES,
  );
  const permit = await attempt("permit", async () => {
    if (state.status === "killed") return good("permit", "none: the fleet was killed for good");
    if (await opened.permit.isGranted(state.fleet ?? "")) return good("permit", "there");
    return {
      name: "permit",
      status: "weaker",
      detail: "taken away by a kill that is not in the journal yet",
      costs: "nothing is started any more",
      remedy: "any command that opens the fleet journals the kill",
    };
  });
  return [secret, permit];
}

async function checkSupervisor(stateDir: string): Promise<Check> {
  const name = "supervisor";
  const sight = await lookAtSupervisor(stateDir);
  if (sight.kind === "none") {
    return skipped(name, "none runs now; `stint run` and `stint spawn` start one");
  }
  if (sight.kind === "serves") {
    const { pid, version, worker_count: count, rung } = sight.status;
    const workers = countText(count, "worker");
    return good(name, `pid ${pid}, version ${version}, ${workers}, contained by ${rung}`);
  }
  return {
    name,
    status: "weaker",
    detail: `it has its socket but does not answer: ${sight.why}`,
    costs: "commands go to the journal without it, and no process can be started by it",
    remedy: `see ${join(stateDir, "supervisor.log")}; end the process it names and go on`,
  };
}
