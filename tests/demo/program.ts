// The demo as a program of its own, in an environment in which whatever it leaves shows.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { builtBin, type Answer } from "../support/cli.ts";
import { awaitGone, environmentOf, listProcesses } from "../support/process-table.ts";

/** How long a demo may take on a busy machine, ms. */
export const DEMO_MS_MAX = 300_000;

/** How long what a demo has ended may take to be gone from the process table, ms. */
const GONE_MS_MAX = 5_000;

const ROOT = join(import.meta.dirname, "../..");

/** What a demo came to. */
export interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is left of it, apart from what was asked for. */
  readonly left: readonly string[];
  /** The one JSON object on stdout. */
  json(): Answer;
}

/** How a demo is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs it: the program and its arguments come last. */
  readonly within?: readonly string[];
  /** Runs it as `nobody`, from a copy that anybody may read; needs root. */
  readonly isNobody?: boolean;
  /** Another command than the built `stint demo`. */
  readonly command?: readonly string[];
  /** Sees what it tells, as it tells it. */
  readonly onText?: (text: string, run: Running) => void;
}

/** A demo that runs. */
export interface Running {
  /** Its own process: not that of what it is run within. */
  signal(name: NodeJS.Signals): void;
  /** Stops reading what it says. */
  unread(): void;
}

/** Runs the demo to its end. */
export async function runDemo(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "stint-demos-")));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const name of ["tmp", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
  const { isNobody = false, within = [] } = options;
  const [program = "", ...words] = [
    ...(isNobody ? [...asNobody(home), ...within] : within),
    ...(options.command ?? (await builtCommand(isNobody))),
    ...args,
  ];
  const env = { ...process.env, NO_COLOR: "1", HOME: home, ...placesIn(home), ...options.env };
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn(program, words, { cwd: options.cwd ?? home, env, stdio: [...stdio] });
  const said = { stdout: "", stderr: "" };
  const running: Running = {
    signal: (name) => child.kill(name),
    unread: () => child.stdout?.destroy(),
  };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      options.onText?.(said[name], running);
    });
  const [exit] = (await once(child, "close")) as [number | null];
  const left = await leftIn(home);
  return { exit, ...said, left, json: () => JSON.parse(said.stdout) };
}

/** Where a demo would leave something, all below one folder. */
function placesIn(home: string): Readonly<Record<string, string>> {
  return {
    TMPDIR: join(home, "tmp"),
    XDG_RUNTIME_DIR: join(home, "run"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
  };
}

/** What npm keeps of its own compiled code. */
const NPMS_OWN = "node-compile-cache";

/** What a demo has left in its places, and what runs that was given one of them. */
async function leftIn(home: string): Promise<readonly string[]> {
  const entries = ["tmp", "run", "state"].flatMap((name) => {
    const dir = join(home, name);
    const found = existsSync(dir) ? readdirSync(dir) : [];
    return found.filter((entry) => entry !== NPMS_OWN).map((entry) => join(dir, entry));
  });
  const rows = listProcesses().filter(({ pid }) =>
    environmentOf(pid).some((line) => line.includes(home)),
  );
  const running = await awaitGone(rows, GONE_MS_MAX);
  return [...entries, ...running.map(({ pid }) => `process ${pid}`)];
}

async function builtCommand(isNobody: boolean): Promise<readonly string[]> {
  if (!isNobody) return [process.execPath, await builtBin(), "demo"];
  const copy = (copied ??= makeCopy(await builtBin()));
  return [join(copy, "node"), join(copy, "bin/stint.cjs"), "demo"];
}

let copied: string | undefined;

/** Copies what is needed of the build, and Node itself, to where anybody may read them. */
function makeCopy(bin: string): string {
  const copy = mkdtempSync(join(tmpdir(), "stint-anybody-"));
  const build = dirname(dirname(bin));
  for (const name of ["bin", "dist", "package.json"])
    cpSync(join(build, name), join(copy, name), { recursive: true });
  const sqlite = "node_modules/better-sqlite3";
  for (const name of ["lib", "prebuilds", "package.json"])
    cpSync(join(ROOT, sqlite, name), join(copy, sqlite, name), { recursive: true });
  cpSync(process.execPath, join(copy, "node"));
  execFileSync("chmod", ["-R", "a+rX", copy]);
  return copy;
}

/** Removes the copy; to be called when all tests are over. */
export function removeCopy(): void {
  if (copied !== undefined) rmSync(copied, { recursive: true, force: true });
}

function asNobody(home: string): readonly string[] {
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "nobody"])));
  for (const dir of [home, join(home, "tmp"), join(home, "run")])
    chownSync(dir, uid ?? 0, gid ?? 0);
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
}

/** A folder for PATH with all the programs of this system but git. */
export function pathWithoutGit(): string {
  const folder = mkdtempSync(join(tmpdir(), "stint-path-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const linked = new Set<string>();
  for (const dir of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].filter(existsSync))
    for (const name of readdirSync(dir)) {
      if (linked.has(name) || /^git(-|$)/.test(name)) continue;
      linked.add(name);
      symlinkSync(join(dir, name), join(folder, name));
    }
  return folder;
}
