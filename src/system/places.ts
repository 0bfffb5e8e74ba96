import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  type Stats,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { Fault } from "../ports/fault.ts";
import { codeOf } from "../ports/error-code.ts";
import { asStorageFault } from "./storage-fault.ts";

/** The longest path of a Unix socket that Linux takes, bytes (unix(7): 108 with the last NUL). */
const SOCKET_PATH_BYTES_MAX = 107;

/** How much of the digest of a state folder's path names its runtime folder, hex digits. */
const DIGEST_CHARS = 12;

/** The files of a fleet and its supervisor in the state folder, besides journal and permits. */
export interface StatePlaces {
  /** The state folder itself. */
  readonly dir: string;
  /** Mode 0600: what shows that its bearer may act as the operator. */
  readonly operatorToken: string;
  /** The SQLite file on which the supervisor holds an exclusive transaction for life: the claim. */
  readonly claim: string;
  /** For people, and for those who look for the socket: pid, started, version, socket. */
  readonly about: string;
  /** The supervisor's own log. */
  readonly log: string;
  /** The folder of the workers' output: `<instance>.jsonl` and `<instance>.1.jsonl`. */
  readonly output: string;
  /** The folder of the sandboxes' records. */
  readonly sandboxes: string;
  /** Mode 0600: the fleet's secret, unless its users keep it themselves. */
  readonly secret: string;
  /** The store of beats. */
  readonly pulse: string;
  /** The folder of the git directories that workers have of their own. */
  readonly git: string;
  /** What new workers are run in, where somebody has said so. */
  readonly driver: string;
}

/** Names what lies in a state folder. */
export function statePlaces(stateDir: string): StatePlaces {
  return {
    dir: stateDir,
    operatorToken: join(stateDir, "operator.token"),
    claim: join(stateDir, "supervisor.db"),
    about: join(stateDir, "supervisor.json"),
    log: join(stateDir, "supervisor.log"),
    output: join(stateDir, "output"),
    sandboxes: join(stateDir, "sandboxes"),
    secret: join(stateDir, "secret"),
    pulse: join(stateDir, "pulse.db"),
    git: join(stateDir, "git"),
    driver: join(stateDir, "driver.json"),
  };
}

const PERMIT_PREFIX = "permit-";

/** The file that is the permit of a fleet in its state folder. */
export function permitFile(stateDir: string, fleet: string): string {
  return join(stateDir, `${PERMIT_PREFIX}${fleet}`);
}

/** Whether a file of this name in a state folder is the permit of a fleet. */
export function isPermit(name: string): boolean {
  return name.startsWith(PERMIT_PREFIX);
}

/** The fleet whose permit a file of this name is; see {@link isPermit}. */
export function fleetOfPermit(name: string): string {
  return name.slice(PERMIT_PREFIX.length);
}

/** The sockets of a fleet's supervisor: they lie outside the state folder, for paths are short. */
export interface RuntimePlaces {
  /** The runtime folder, mode 0700. */
  readonly dir: string;
  readonly operatorSocket: string;
  /** The folder of the workers' folders. */
  readonly workers: string;
}

/** Where one worker finds its supervisor: a folder that is shown to it and to nobody else. */
export interface WorkerPlaces {
  readonly dir: string;
  readonly socket: string;
  /** Mode 0600: what shows that its bearer is this worker. */
  readonly token: string;
}

/**
 * Where the supervisor of a state folder has its sockets, by this process's environment: below
 * `XDG_RUNTIME_DIR`, or below a folder of this user's in `/tmp` where that is unset, too long, no
 * folder or another user's, as after `su`.
 * The state folder must be there. Creates nothing.
 */
export function runtimePlaces(
  stateDir: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): RuntimePlaces {
  const digest = createHash("sha256").update(realpathSync(stateDir)).digest("hex");
  const name = digest.slice(0, DIGEST_CHARS);
  const chosen = env["XDG_RUNTIME_DIR"];
  if (chosen !== undefined && isAbsolute(chosen) && isOwnFolder(chosen)) {
    const places = placesIn(join(chosen, "stint", name));
    const longest = workerPlaces(places, `w-${"x".repeat(16)}`).socket;
    if (Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX) return places;
  }
  return placesIn(join("/tmp", `stint-${process.getuid?.() ?? 0}`, name));
}

function isOwnFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? 0);
}

function placesIn(dir: string): RuntimePlaces {
  return { dir, operatorSocket: join(dir, "operator.sock"), workers: join(dir, "w") };
}

/** Names what lies in a worker's folder. */
export function workerPlaces(runtime: RuntimePlaces, instance: string): WorkerPlaces {
  const dir = join(runtime.workers, instance);
  return { dir, ...besideToken(join(dir, "token")) };
}

/** Names the socket that belongs to a token file, as `STINT_WORKER_TOKEN_FILE` names one. */
export function besideToken(tokenFile: string): Pick<WorkerPlaces, "socket" | "token"> {
  return { socket: join(dirname(tokenFile), "worker.sock"), token: tokenFile };
}

/** Removes a runtime folder of which nothing is used any more; what is not empty stays. */
export function removeRuntimePlaces({ dir, operatorSocket, workers }: RuntimePlaces): void {
  rmSync(operatorSocket, { force: true });
  for (const folder of [workers, dir]) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if (!["ENOENT", "ENOTEMPTY"].includes(codeOf(error))) throw error;
    }
  }
}

/**
 * Creates the runtime folder where it is missing: 0700, its `w` and below 0711.
 *
 * Throws `Fault` `storage_failed` when it, or the folder it lies in, is not this user's own, is
 * writable by others or is no folder: whoever can write there could stand in for the supervisor.
 */
export function ensureRuntimePlaces(places: RuntimePlaces): void {
  const parent = dirname(places.dir);
  try {
    ensureOwn(parent, 0o700);
  } catch (error) {
    throw asStorageFault(error, `making ${parent}`);
  }
  ensureOwn(places.dir, 0o700);
  ensureOwn(places.workers, 0o711);
}

/** Creates the folder of a worker's socket, mode 0711, or takes the one that is there. */
export function ensureWorkerFolder(places: WorkerPlaces): void {
  ensureOwn(places.dir, 0o711);
}

function ensureOwn(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  mustBeOurs(path);
}

function mustBeOurs(path: string): void {
  const found = lstatSync(path);
  const wrong = whatIsWrong(found);
  if (wrong === undefined) return;
  const expected = "must be a folder of this user's that nobody else may write to";
  throw new Fault("storage_failed", `${path} ${expected}, ${wrong}`);
}

function whatIsWrong(found: Stats): string | undefined {
  if (!found.isDirectory()) return "it is no folder";
  const own = process.getuid?.() ?? 0;
  if (found.uid !== own) return `it belongs to uid ${found.uid}, this is uid ${own}`;
  const mode = found.mode & 0o777;
  return (mode & 0o022) === 0 ? undefined : `its mode is ${mode.toString(8).padStart(4, "0")}`;
}

/**
 * The operator socket of the supervisor that runs, or ran last, on a state folder: as it wrote it
 * down itself, for its environment may have been another, else where this process would have it.
 * A copy of the folder has the document of the original, whose supervisor keeps another journal.
 */
export function operatorSocketOf(stateDir: string): string {
  const places = statePlaces(stateDir);
  try {
    const about: unknown = JSON.parse(readFileSync(places.about, "utf8"));
    const isObject = typeof about === "object" && about !== null && "socket" in about;
    const socket: unknown = isObject ? about.socket : undefined;
    const isCopied = isObject && "claim" in about && about.claim !== fileIdentity(places.claim);
    if (!isCopied && typeof socket === "string" && isAbsolute(socket)) return socket;
  } catch {
    // Never written, or torn by a crash: then the place it would have taken.
  }
  return runtimePlaces(stateDir).operatorSocket;
}

/** Names a file of this host by what no copy of it has; undefined where there is none. */
export function fileIdentity(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
