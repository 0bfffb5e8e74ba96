import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

const GIT_OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

/** How long git may take for one answer, ms. */
const GIT_MS_MAX = 120_000;

/** What no setting of a user or repository may have git do: ask others, run programs of theirs. */
const HARDENED = ["core.fsmonitor=false", "core.quotePath=false", "log.showSignature=false"];

/** How git is run. */
export interface GitOptions {
  /**
   * Whether a repository of another user is read only if this user's settings trust it; default
   * false: whoever asked first has been told already, and a sandbox has other users than its host.
   */
  readonly isTrusting?: boolean;
}

/**
 * Runs git read-only in a folder and answers what it says, a character a byte. Nothing of a
 * worker's environment reaches it. Rejects as execFile does, with git's words as `stderr`.
 */
export async function git(
  dir: string,
  args: readonly string[],
  { isTrusting = true }: GitOptions = {},
): Promise<string> {
  const settings = isTrusting ? [...HARDENED, "safe.directory=*"] : HARDENED;
  const given = settings.flatMap((setting) => ["-c", setting]);
  const { stdout } = await run("git", ["-C", dir, ...given, ...args], {
    encoding: "latin1",
    maxBuffer: GIT_OUTPUT_BYTES_MAX,
    timeout: GIT_MS_MAX,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      LC_ALL: "C",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_NO_LAZY_FETCH: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
  });
  return stdout;
}

/** The top folder of a repository, or why git names none. */
export interface Top {
  readonly top?: string;
  /** It is `absent`, the folder is `outside` of any repository, or git's own words. */
  readonly whyNot: string;
}

/** Asks git for the top folder of the repository around `dir`, as this user's settings trust it. */
export async function askTop(dir: string): Promise<Top> {
  try {
    const stdout = await git(dir, ["rev-parse", "--show-toplevel"], { isTrusting: false });
    const top = Buffer.from(stdout.replace(/\n$/, ""), "latin1").toString("utf8");
    return top === "" ? { whyNot: "outside" } : { top, whyNot: "" };
  } catch (error) {
    // Without git, outside a repository, or where git refuses: each is an answer, none a fault.
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return { whyNot: "absent" };
    const words = stderr.split("\n")[0] ?? "";
    return { whyNot: words.includes("not a git repository") ? "outside" : words };
  }
}
