/*
 * The commits of the repository that a fleet is about. Git is run on the repository itself, with
 * nothing of its user's and nothing that a configuration could have it start: no pager, no
 * signatures looked at, no other program to compare files.
 */

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CommitQuery, CommitsRead, SeenCommit } from "../../ports/ground/commits.ts";
import { commonDirOf, realpathOf } from "../ground/repository.ts";
import { runGit } from "./run.ts";

/** How many commits are read, and how many bytes of their paths. */
const commitsMax = 2_000;
const bytesMax = 8 * 2 ** 20;

/** How long git may take, ms: whoever asks waits for it. */
const withinMs = 20_000;

/** The name of a state folder within a repository's common directory. */
const SHARED = "stint";

const MARK = "\u0001";

/**
 * Reads commits: those on refs that are not Stint's, and those that only `refs/stint/` has. Where
 * there is no repository, or git fails, it says why.
 */
export async function readCommits({ stateDir, sinceMs }: CommitQuery): Promise<CommitsRead> {
  const gitDir = stateDir === undefined ? undefined : repositoryOf(stateDir);
  if (gitDir === undefined) return { ok: false, why: "the fleet is about no repository" };
  const ordinary = ["--exclude=refs/stint/*", "--all"];
  try {
    const shared = await list(gitDir, ordinary, sinceMs);
    const own = await list(gitDir, ["--glob=refs/stint/*", "--not", ...ordinary], sinceMs);
    const commits = [...shared.commits, ...own.commits];
    return { ok: true, commits, isCut: shared.isCut || own.isCut };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** The directory of the repository that a state folder lies in, or whose folder has it. */
function repositoryOf(stateDir: string): string | undefined {
  const real = realpathOf(stateDir);
  if (real === undefined) return undefined;
  const above = dirname(real);
  if (basename(real) === SHARED && existsSync(join(above, "HEAD"))) return above;
  return commonDirOf(above);
}

type Listed = Omit<Extract<CommitsRead, { readonly ok: true }>, "ok">;

async function list(gitDir: string, refs: readonly string[], sinceMs: number): Promise<Listed> {
  const limits = [`--max-count=${commitsMax + 1}`, `--since=@${Math.floor(sinceMs / 1_000)}`];
  const form = ["-z", "--name-only", `--format=${MARK}%ct${MARK}%h${MARK}%S${MARK}`];
  const plain = ["--no-merges", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const enough = new AbortController();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    await runGit({
      args: ["--no-pager", "--git-dir", gitDir, "log", ...limits, ...form, ...plain, ...refs],
      settings: ["log.showSignature=false"],
      withinMs,
      signal: enough.signal,
      onOutput: (chunk) => {
        size += chunk.length;
        if (size <= bytesMax) chunks.push(chunk);
        else enough.abort();
      },
    });
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  }
  const commits = parse(Buffer.concat(chunks).toString("utf8"));
  const isCut = enough.signal.aborted || commits.length > commitsMax;
  return { commits: commits.slice(0, commitsMax), isCut };
}

const HEAD = new RegExp(`^\\n?${MARK}(\\d+)${MARK}([0-9a-f]+)${MARK}([^${MARK}]*)${MARK}$`);

/** A head for each commit, then the paths of what it changes, all ended by NUL. */
function parse(text: string): readonly SeenCommit[] {
  const commits: (SeenCommit & { readonly paths: string[] })[] = [];
  for (const part of text.split("\0")) {
    const [, seconds, id = "", ref = ""] = HEAD.exec(part) ?? [];
    if (seconds !== undefined) commits.push({ id, ref, atMs: Number(seconds) * 1_000, paths: [] });
    else if (part !== "") commits.at(-1)?.paths.push(part.replace(/^\n/, ""));
  }
  return commits;
}
