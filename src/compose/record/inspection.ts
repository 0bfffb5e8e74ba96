// One of the files that know adapters: what looking closely at a host and a store needs, for those
// who verify and those who ask what is missing. Nothing here starts or changes a fleet.

import { refuseNetworkFileSystem } from "../../journal/sqlite/network-file-system.ts";
import { openSqliteJournal } from "../../journal/sqlite/open.ts";
import { verifyJournal } from "../../journal/verify.ts";
import { verifyRecord, type Verification } from "../../library/fleet/verification.ts";
import type { OpenStore } from "../../library/fleet/store.ts";
import { killedFleetsOfUser } from "../../permit/killed-fleets.ts";
import { filePermit } from "../../permit/permit.ts";
import { surveyCgroups } from "../../sandbox/cgroup/find.ts";
import { surveyEngine, type EngineSurvey } from "../../sandbox/container/survey.ts";
import { probeRungs, type ProbedRung } from "../../sandbox/process/rung/probe.ts";
import { isSignedBy } from "../../signing/keys.ts";
import { findSecretFile, readSecretFile } from "../../signing/secret-file.ts";
import { openSigner } from "../../signing/signer.ts";
import { systemClock } from "../../system/clock.ts";
import { statePlaces } from "../../system/places.ts";
import { loadSqlite } from "../../system/sqlite-library.ts";

/** How the journal of a state folder is verified. */
export interface VerifyStoreOptions {
  /** Called now and then with what is being done and the newest entry it has come to. */
  readonly onProgress?: (doing: "verifying" | "replaying" | "deciding", seq: number) => void;
}

/** What verifying the journal of a state folder has shown. */
export interface VerifiedStore extends Verification {
  /** Whether the secret beside the journal is that of its newest key; null where there is none. */
  readonly isKeyTrusted: true | null;
}

/**
 * Verifies the journal of a state folder without opening its fleet; see {@link verifyRecord}. Where
 * no secret lies beside it, signatures only show that the keys that the journal names made them.
 *
 * Throws `Fault` `journal_*`, and `key_mismatch` when the secret beside it is another's.
 */
export async function verifyStore(
  stateDir: string,
  { onProgress }: VerifyStoreOptions = {},
): Promise<VerifiedStore> {
  const opened = await openStore(stateDir);
  try {
    const secret = findSecretFile(statePlaces(stateDir).secret);
    const trusted = secret === undefined ? {} : { key: openSigner(secret).key };
    const verified = await verifyRecord(opened.journal, {
      verify: (journal) =>
        verifyJournal(journal, {
          ...trusted,
          verifySignature: isSignedBy,
          onProgress: (seq) => onProgress?.("verifying", seq),
        }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return { ...verified, isKeyTrusted: secret === undefined ? null : true };
  } finally {
    await opened.close();
  }
}

/** What of a store is looked at: never its beats, and nothing can be run on it. */
export type InspectedStore = Pick<OpenStore, "journal" | "permit" | "close">;

/** Opens what a state folder holds; never begins anything there. The caller closes it. */
export async function openStore(stateDir: string): Promise<InspectedStore> {
  const options = { folder: stateDir, clock: systemClock(), create: false };
  const journal = await openSqliteJournal(options);
  const permit = filePermit(stateDir, killedFleetsOfUser());
  return { journal, permit, close: () => journal.close() };
}

/** The id of the key that the secret in a state folder makes. Throws `Fault` `secret_missing`. */
export function keptKeyId(stateDir: string): string {
  return openSigner(readSecretFile(statePlaces(stateDir).secret)).key.key_id;
}

/** Throws `Fault` `network_filesystem` when a folder lies on a file system of the network. */
export function demandLocalFileSystem(folder: string): void {
  refuseNetworkFileSystem(folder);
}

/** Loads SQLite and answers its version. Throws `Fault` `sqlite_unsupported`. */
export function sqliteVersion(): string {
  const db = new (loadSqlite())(":memory:");
  try {
    return db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "0";
  } finally {
    db.close();
  }
}

/** What of this host's containment works, and what is missing. */
export interface Containment {
  /** The rungs, best first, each as a program started on it has shown. */
  readonly rungs: readonly ProbedRung[];
  /** What control groups cannot hold here, and how to get it. */
  readonly missing: readonly {
    readonly what: "memory" | "cpu" | "processes" | "freeze" | "kill";
    readonly why: string;
    readonly remedy: string;
  }[];
  /** What runs containers here. */
  readonly engine: EngineSurvey;
}

/** A name that no fleet has, for groups that are made only to see whether they can be. */
const PROBE = "doctor";

/** Looks at what can contain workers here; what it starts and makes for that is gone again. */
export async function examineContainment(): Promise<Containment> {
  const looks = [probeRungs(), surveyCgroups(PROBE), surveyEngine()] as const;
  const [rungs, { missing }, engine] = await Promise.all(looks);
  return { rungs, missing, engine };
}
