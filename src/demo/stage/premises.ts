import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Fault } from "../../index.ts";

/** What must not reach the demo's processes from whoever calls it: it names another fleet. */
const FOREIGN = ["STINT_WORKER_TOKEN_FILE", "STINT_INSTANCE", "STINT_FLEET", "STINT_SANDBOX"];

/** The temporary folder of one demo: everything that is written for it lies below. */
export interface Premises {
  readonly dir: string;
  /** The state folder of the fleet. */
  readonly stateDir: string;
  /** Where the supervisor has its sockets, once that is known. */
  readonly runtimeDir: string | undefined;
  /** Reads where the supervisor has them: elsewhere, if the folder's path is too long for one. */
  learnRuntimeDir(): void;
  /** Removes the sockets' folder; safe to call twice. */
  removeRuntime(): void;
  /** Removes all of it; safe to call twice. */
  remove(): void;
}

/**
 * Makes the folder of a demo, and has this process and all it starts keep there what a fleet keeps
 * outside of its state folder: its sockets, and the memory that it was killed. Throws `Fault`
 * `storage_failed` where no temporary folder can be made.
 */
export function makePremises(): Premises {
  const dir = makeFolder();
  const stateDir = join(dir, ".stint");
  const runDir = join(dir, "run");
  mkdirSync(stateDir, { mode: 0o700 });
  mkdirSync(runDir, { mode: 0o700 });
  process.env["XDG_STATE_HOME"] = join(dir, "state");
  process.env["XDG_RUNTIME_DIR"] = runDir;
  for (const name of FOREIGN) Reflect.deleteProperty(process.env, name);
  let runtimeDir: string | undefined;
  const drop = (path: string): void =>
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  const removeRuntime = (): void => {
    if (runtimeDir !== undefined) drop(runtimeDir);
  };
  return {
    dir,
    stateDir,
    get runtimeDir() {
      return runtimeDir;
    },
    learnRuntimeDir() {
      runtimeDir = dirname(readSocket(join(stateDir, "supervisor.json")));
    },
    removeRuntime,
    remove() {
      try {
        runtimeDir ??= dirname(readSocket(join(stateDir, "supervisor.json")));
      } catch {
        // No supervisor has ever served, or all is removed already.
      }
      removeRuntime();
      drop(dir);
    },
  };
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(realpathSync(tmpdir()), "stint-demo-"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `a folder must be made for the demo in ${tmpdir()} (TMPDIR), got: ${why}`;
    throw new Fault("storage_failed", message, { cause: error });
  }
}

/** The path of the operator's socket, as a supervisor that serves has written it down. */
function readSocket(file: string): string {
  const { socket } = JSON.parse(readFileSync(file, "utf8")) as { readonly socket?: unknown };
  if (typeof socket === "string") return socket;
  throw new Error(`a supervisor that serves must name its socket in ${file}, it does not`);
}
