// The command line as it is installed: built once for all test files of a tree, and run as a
// program of its own, by the very Node that runs the tests.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "../..");

/** How long a call may take before it is killed and the test fails, ms. */
const CALL_MS_MAX = 60_000;

/** How long a build of another source is kept, ms. */
const KEPT_MS = 3_600_000;

/** What a call came to. */
export interface Called {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON object on stdout. Throws when there is none. */
  json(): Answer;
  /** The JSON objects on stdout, one a line. */
  lines(): readonly Answer[];
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look deep into answers of any shape
type AnyShape = any;

/** An answer of the command line as JSON; tests know which fields it has. */
export type Answer = AnyShape;

/** Where and how a call is made. */
export interface CallOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** What runs it, such as a limit or a namespace: the program and its arguments come last. */
  readonly within?: readonly string[];
  /** How long it may take before it is killed and the test fails, ms; default a minute. */
  readonly callMs?: number;
  /** Another `bin/stint.cjs`; default: that of the build. */
  readonly bin?: string;
}

/** Path of the built `bin/stint.cjs`; builds it when no build of this very source is there. */
export async function builtBin(): Promise<string> {
  built ??= buildOnce();
  return join(await built, "bin/stint.cjs");
}

/** Runs `stint` with arguments to its end. */
export async function stint(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const child = await startStint(args, options);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => gather(stream));
  // On a busy machine a call can be over before it is given what it does not read.
  child.stdin.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  child.stdin.end(options.stdin ?? "");
  const deadline = setTimeout(() => child.kill("SIGKILL"), options.callMs ?? CALL_MS_MAX);
  try {
    const [exit, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once("close", (...how: [number | null, NodeJS.Signals | null]) => resolve(how));
    });
    return called({ exit, signal, stdout: (await stdout) ?? "", stderr: (await stderr) ?? "" });
  } finally {
    clearTimeout(deadline);
  }
}

/** Starts `stint` with pipes on its three streams; it is the caller's to end. */
export async function startStint(
  args: readonly string[],
  { cwd, env, within = [], bin: given }: CallOptions = {},
): Promise<ReturnType<typeof spawnPiped>> {
  const bin = given ?? (await builtBin());
  // Compiled code is kept beside the build, not among the user's own files.
  const own = { XDG_CACHE_HOME: join(dirname(bin), "../cache") };
  const all = { ...process.env, ...own, ...env };
  return spawnPiped([...within, process.execPath, bin, ...args], {
    cwd: cwd ?? process.cwd(),
    env: all,
  });
}

function spawnPiped(
  [program = "", ...args]: readonly string[],
  so: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
) {
  return spawn(program, args, { ...so, stdio: ["pipe", "pipe", "pipe"] });
}

let built: Promise<string> | undefined;

/** Several test processes may build at once: the first whose build is whole is everybody's. */
async function buildOnce(): Promise<string> {
  const home = join(tmpdir(), `stint-test-build-${process.getuid?.() ?? 0}`);
  const target = join(home, digestOfSource());
  if (existsSync(target)) return target;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(join(home, "draft-"));
  await bundle(join(draft, "dist"));
  cpSync(join(ROOT, "bin"), join(draft, "bin"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(draft, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(draft, "node_modules"));
  try {
    renameSync(draft, target);
  } catch (error) {
    // Somebody else was first.
    if (!existsSync(target)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  dropOld(home, target);
  return target;
}

/** Builds of other sources, unless somebody may still be running one. */
function dropOld(home: string, target: string): void {
  const oldestAtMs = Date.now() - KEPT_MS;
  for (const name of readdirSync(home)) {
    const path = join(home, name);
    const changedAtMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (path !== target && changedAtMs < oldestAtMs) rmSync(path, { recursive: true, force: true });
  }
}

function digestOfSource(): string {
  // A build has a link to what is installed here: another checkout's may be gone tomorrow.
  const digest = createHash("sha256").update(`${ROOT}\0`);
  const patterns = ["src/**/*.ts", "bin/*", "scripts/bundle.ts", "package-lock.json"];
  for (const file of globSync(patterns, { cwd: ROOT }).toSorted())
    digest.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return digest.digest("hex").slice(0, 16);
}

async function gather(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

function called(so: Omit<Called, "json" | "lines">): Called {
  const parse = (text: string): Answer => {
    try {
      return JSON.parse(text);
    } catch {
      // The test is to show what was printed instead.
      throw new Error(`stdout must be JSON, got ${text}\nstderr: ${so.stderr}`);
    }
  };
  return {
    ...so,
    json: () => parse(so.stdout),
    lines: () => so.stdout.trimEnd().split("\n").map(parse),
  };
}
