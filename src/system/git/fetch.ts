/*
 * What a worker has committed comes into the repository by a directory in between, which the worker
 * has no say in: git is run there and in the repository itself, never in what a worker writes to.
 *
 *     private (the worker's) ──objects, read──▶ between (ours) ──fetch, checked──▶ the repository
 */

import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { devNull } from "node:os";
import { join } from "node:path";
import { flawOf } from "./objects.ts";
import { isSha256, ORIGINAL } from "./private-dir.ts";
import { readBranches } from "./refs.ts";

/** How long git may take for all of it, ms. */
const gitMs = 120_000;

const complaintCharsMax = 500;

/** Branches that a worker brings in: each is a file in the repository. */
const branchesMax = 1_000;

/** What is fetched, and where to. */
export interface FetchOptions {
  /** The worker's own directory. */
  readonly from: string;
  /** The repository's directory. */
  readonly gitDir: string;
  /** Where the branches go: `refs/stint/ID`. */
  readonly namespace: string;
  /** A folder for the directory in between; nothing is there. It is removed. */
  readonly between: string;
}

/** What has come, or why it has not. */
export type Fetched =
  | { readonly ok: true; readonly branches: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** What git is told to do without, whatever a configuration says. */
const NEUTRAL = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.alternateRefsCommand=true",
  "transfer.fsckObjects=true",
  "fetch.fsckObjects=true",
  "fetch.recurseSubmodules=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "protocol.allow=never",
  "protocol.file.allow=always",
].flatMap((setting) => ["-c", setting]);

/** Hints that lie beside objects, and may have been written by a worker: git asks the objects. */
const UNHINTED = [
  "[core]",
  "\tcommitGraph = false",
  "\tmultiPackIndex = false",
  "[pack]",
  "\tuseBitmaps = false",
  "\treadReverseIndex = false",
];

/**
 * Fetches the branches of a worker's directory that are not the repository's already, every object
 * checked (`transfer.fsckObjects`). Never throws for what a worker has written.
 */
export async function fetchBranches(options: FetchOptions): Promise<Fetched> {
  const { from, gitDir, between } = options;
  try {
    const known = await readBranches(gitDir);
    const branches = [...(await readBranches(from))].filter(([name, id]) => known.get(name) !== id);
    if (branches.length === 0) return { ok: true, branches: [] };
    if (branches.length > branchesMax)
      return { ok: false, why: `at most ${branchesMax} branches are fetched, not all of these` };
    const flaw = await flawOf(from, join(gitDir, ORIGINAL));
    if (flaw !== undefined) return { ok: false, why: flaw };
    await fetchBetween(options, branches);
    return { ok: true, branches: branches.map(([name]) => name.slice("refs/heads/".length)) };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(between, { recursive: true, force: true });
  }
}

async function fetchBetween(
  { from, gitDir, namespace, between }: FetchOptions,
  branches: readonly (readonly [name: string, id: string])[],
): Promise<void> {
  await rm(between, { recursive: true, force: true });
  await mkdir(between, { recursive: true, mode: 0o700 });
  const format = (await isSha256(gitDir)) ? "sha256" : "sha1";
  const init = ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, between];
  await run(init, "");
  // What serves from it does not hear what git is told here.
  await writeFile(join(between, "config"), `${UNHINTED.join("\n")}\n`, { flag: "a" });
  const alternates = [join(from, "objects"), join(gitDir, "objects")];
  await writeFile(join(between, "objects/info/alternates"), `${alternates.join("\n")}\n`);
  const updates = branches.map(([name, id]) => `create ${name} ${id}\n`).join("");
  await run(["--git-dir", between, "update-ref", "--stdin"], updates);
  const refspec = `+refs/heads/*:${namespace}/*`;
  const quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
  await run(["--git-dir", gitDir, "fetch", ...quiet, between, refspec], "");
}

/** Runs git with nothing of its user's. Throws what it complained of. */
function run(args: readonly string[], input: string): Promise<void> {
  const child = spawn("git", [...NEUTRAL, ...args], {
    cwd: "/",
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: devNull,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: devNull,
      GIT_TERMINAL_PROMPT: "0",
      GIT_OPTIONAL_LOCKS: "0",
      LC_ALL: "C",
    },
    stdio: ["pipe", "ignore", "pipe"],
    timeout: gitMs,
    killSignal: "SIGKILL",
  });
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-complaintCharsMax);
    });
    // What it does not read it has not asked for.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`git ${args[0] ?? ""}: ${said.trim() || `it ended by ${code}`}`));
    });
  });
}
