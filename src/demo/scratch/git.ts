import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const GIT_MS_MAX = 120_000;
const GIT_OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

/**
 * All settings that git has in a scratch clone. None of its user's apply: they could sign, run
 * hooks and filters, or ask for words.
 */
const SETTINGS = `[safe]
	directory = *
[user]
	name = Stint demo
	email = demo@example.invalid
[commit]
	gpgSign = false
[core]
	hooksPath = /dev/null
	fsmonitor = false
	autocrlf = false
	quotePath = false
[gc]
	auto = 0
[advice]
	detachedHead = false
`;

/** Writes the settings of git to a folder that {@link scratchGit} is given. */
export function writeSettings(home: string): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, ".gitconfig"), SETTINGS);
}

/**
 * Runs git in a folder with no settings but those in `home`, and answers what it says. Rejects as
 * execFile does, with git's words as `stderr`.
 */
export async function scratchGit(
  { dir, home }: { readonly dir: string; readonly home: string },
  args: readonly string[],
): Promise<string> {
  const { stdout } = await run("git", ["-C", dir, ...args], {
    maxBuffer: GIT_OUTPUT_BYTES_MAX,
    timeout: GIT_MS_MAX,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_NO_LAZY_FETCH: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
  });
  return stdout;
}
