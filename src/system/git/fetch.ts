/*
 * What a worker has committed comes into the repository by a directory in between, which the worker
 * has no say in: git is run there and in the repository itself, never in what a worker writes to.
 *
 *     private (the worker's) ──objects, read──▶ between (ours) ──fetch, checked──▶ the repository
 */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Brought, broughtIn } from "./brought.ts";
import { flawOf } from "./objects.ts";
import { isSha256, ORIGINAL } from "./private-dir.ts";
import { FRUGAL, runGit } from "./run.ts";

/** Where in the directory in between that lies which is no branch. */
const OTHERS = "refs/others";

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
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** What has come, or why it has not. */
export type Fetched =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** Hints that lie beside objects, and may have been written by a worker: git asks the objects. */
const UNHINTED = [
  ["core", "commitGraph", "false"],
  ["core", "multiPackIndex", "false"],
  ["pack", "useBitmaps", "false"],
  ["pack", "readReverseIndex", "false"],
] as const;

/**
 * Fetches what a worker's directory has that is not the repository's already (see `broughtIn`),
 * every object checked (`transfer.fsckObjects`), within limits of memory and time. Never throws for
 * what a worker has written; throws its signal's reason where that has ended it.
 */
export async function fetchBrought(options: FetchOptions): Promise<Fetched> {
  const { from, gitDir, between, signal } = options;
  signal?.throwIfAborted();
  try {
    const brought = await broughtIn(from, gitDir);
    const names = [...brought.branches.keys(), ...brought.others.keys()];
    if (names.length === 0) return { ok: true, names };
    const flaw = await flawOf(from, join(gitDir, ORIGINAL));
    if (flaw !== undefined) return { ok: false, why: flaw };
    await fetchBetween(options, brought);
    return { ok: true, names };
  } catch (error) {
    signal?.throwIfAborted();
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(between, { recursive: true, force: true });
  }
}

async function fetchBetween(
  { from, gitDir, namespace, between, signal }: FetchOptions,
  { branches, others }: Brought,
): Promise<void> {
  await rm(between, { recursive: true, force: true });
  await mkdir(between, { recursive: true, mode: 0o700 });
  const format = (await isSha256(gitDir)) ? "sha256" : "sha1";
  const init = ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`, between];
  await runGit({ args: init, signal });
  // What serves from it does not hear what git is told here.
  const lines = [...UNHINTED, ...FRUGAL].map(
    ([section, ...so]) => `[${section}] ${so.join(" = ")}`,
  );
  await writeFile(join(between, "config"), `${lines.join("\n")}\n`, { flag: "a" });
  const alternates = [join(from, "objects"), join(gitDir, "objects")];
  await writeFile(join(between, "objects/info/alternates"), `${alternates.join("\n")}\n`);
  const all = [
    ...[...branches].map(([name, id]) => [`refs/heads/${name}`, id]),
    ...[...others].map(([name, id]) => [`${OTHERS}/${name}`, id]),
  ];
  const input = all.map(([name, id]) => `create ${name} ${id}\n`).join("");
  await runGit({ args: ["--git-dir", between, "update-ref", "--stdin"], input, signal });
  const refspecs = ["refs/heads", OTHERS].map((kind) => `+${kind}/*:${namespace}/*`);
  const quiet = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"];
  const args = ["--git-dir", gitDir, "fetch", ...quiet, between, ...refspecs];
  await runGit({ args, settings: ["protocol.file.allow=always"], signal });
}
