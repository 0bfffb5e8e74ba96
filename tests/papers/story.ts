// The world of a page: a small repository of its own with the package installed, `stint` on the
// PATH, and a home of its own, so that nothing of it touches the user's. What it began is ended.
import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, listProcesses } from "../support/process-table.ts";
import { endFleets, endProcesses } from "./ending.ts";
import { installedPackage, NODE_TYPES } from "./installed.ts";
import { makeRepository } from "./repository.ts";

/** How long one block may take, ms. */
const BLOCK_MS_MAX = 170_000;

/** What a program has come to. */
export interface Outcome {
  /** 128 and more by a signal's number are a shell's word; undefined: it took too long. */
  readonly exit: number | undefined;
  /** Both streams, in the order in which they were written. */
  readonly output: string;
}

/** A folder in which the blocks of a page are tried, one after another. */
export interface Story {
  /** The repository the reader stands in. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** A path for something that the reader does not see. */
  aside(name: string): string;
  /** Runs a program to its end, with nothing to read. */
  run(program: string, args: readonly string[]): Promise<Outcome>;
  /** Ends every fleet and process of the story and removes it. */
  end(): Promise<void>;
}

/** Begins a story in a fresh folder. */
export async function beginStory(): Promise<Story> {
  const installed = await installedPackage();
  const base = mkdtempSync(join(tmpdir(), "stint-paper-"));
  const dir = join(base, "site");
  for (const name of ["home", "run", "programs", "aside", "tmp"]) mkdirSync(join(base, name));
  chmodSync(join(base, "run"), 0o700);
  const env = environmentOf(base);
  symlinkSync(process.execPath, join(base, "programs/node"));
  symlinkSync(join(installed, "bin/stint.cjs"), join(base, "programs/stint"));
  makeRepository(dir, env);
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(installed, join(dir, "node_modules/stint"));
  symlinkSync(NODE_TYPES, join(dir, "node_modules/@types"));
  let runCount = 0;
  return {
    dir,
    env,
    aside: (name) => join(base, "aside", name),
    run: (program, args) => {
      runCount += 1;
      return run([program, ...args], { dir, env, log: join(base, "aside", `run-${runCount}`) });
    },
    end: async () => {
      await endFleets(base, { program: join(base, "programs/stint"), env });
      await endProcesses(base);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function environmentOf(base: string): Readonly<Record<string, string>> {
  const home = join(base, "home");
  return {
    PATH: `${join(base, "programs")}:${process.env["PATH"]}`,
    HOME: home,
    USER: "reader",
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    TMPDIR: join(base, "tmp"),
    XDG_RUNTIME_DIR: join(base, "run"),
    XDG_STATE_HOME: join(home, ".local/state"),
    XDG_CONFIG_HOME: join(home, ".config"),
    // Compiled code is the same for every page.
    XDG_CACHE_HOME: join(tmpdir(), `stint-test-cache-${process.getuid?.() ?? 0}`),
    STINT_HOST_ID: "h-papers",
    STINT_TEST_RUN: process.env["STINT_TEST_RUN"] ?? "",
    GIT_CONFIG_NOSYSTEM: "1",
  };
}

async function run(
  [program = "", ...args]: readonly string[],
  so: {
    readonly dir: string;
    readonly env: Readonly<Record<string, string>>;
    readonly log: string;
  },
): Promise<Outcome> {
  // A file, not a pipe: what a block leaves running may keep it open.
  const log = openSync(so.log, "a");
  // A group of its own, which is ended as a whole when it takes too long.
  const child = spawn(program, args, {
    cwd: so.dir,
    env: so.env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const self = listProcesses().find((row) => row.pid === child.pid);
  const deadline = setTimeout(() => {
    if (self !== undefined && isAlive(self)) process.kill(-self.pid, "SIGKILL");
  }, BLOCK_MS_MAX);
  try {
    const [exit, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (...how: [number | null, NodeJS.Signals | null]) => resolve(how));
      },
    );
    const output = readFileSync(so.log, "utf8");
    return { exit: signal === null ? (exit ?? undefined) : undefined, output };
  } finally {
    clearTimeout(deadline);
  }
}
