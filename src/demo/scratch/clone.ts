/*
 * The scratch clone: what the workers edit, so that nobody touches the tree that is analysed. Only
 * the files that are to be edited are checked out. Where git cannot clone the tree it is a small
 * repository with copies of them, and without git a folder with these.
 */

import { accessSync, constants, copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Premises } from "../stage/premises.ts";
import type { ScratchTask } from "../task.ts";
import { askTop } from "../tree/git.ts";
import { languageOf } from "../tree/languages.ts";
import { fileOf, type Listing } from "../tree/listing.ts";
import { scratchGit, writeSettings } from "./git.ts";

/** The branch that edits are committed to. */
export const BRANCH = "demo";

/** The marks that are made at the desk. */
export const MARKS = {
  /** A worker is about to ask for its file. */
  ready: (name: string) => `${name}-is-ready`,
  /** A worker was refused, since another has what it wants. */
  refused: (name: string) => `${name}-was-refused`,
  /** The demo has looked at who may write now. */
  looked: "somebody-has-looked",
} as const;

/** What a file of the scratch clone is called in regions. */
export function resourceOf({ ground }: ScratchTask, file: string): string {
  return `${ground}/${file}`;
}

/** Who edits: the root's children. The first two want the same file. */
const [FIRST, SECOND, THIRD] = ["analyst-1", "analyst-2", "analyst-3"] as const;

/** Names without a character that the patterns of a region give a meaning, and no hidden ones. */
const PLAIN = /^(?!.*(?:^|\/)(?:[./]|$))[\w./-]+$/;

/** What is edited where a tree has too few files of a known language and a plain name. */
const MADE = ["NOTES.md", "notes/MORE.md"] as const;

/** Larger files are not copied, bytes. */
const COPY_BYTES_MAX = 1024 * 1024;

const REGULAR_FILE = /^100/;

type Two = readonly [string, string];

/** Makes the scratch clone of a tree below the premises. Throws as the file system and git do. */
export async function makeScratch(
  { dir: base }: Pick<Premises, "dir">,
  tree: { readonly root: string; readonly listing: Listing },
): Promise<ScratchTask> {
  const ground = "clone";
  const place = { dir: join(base, ground), home: join(base, "desk/home") };
  writeSettings(place.home);
  const { top } = tree.listing.git ? await askTop(tree.root) : {};
  const cloned = top === undefined ? undefined : await tryClone(place, top);
  const git = tree.listing.whyNot !== "absent";
  const [shared, other] = cloned ?? (await makeOwn(place, { ...tree, git }));
  return {
    ...place,
    ground,
    desk: join(base, "desk/marks"),
    git,
    is_clone: cloned !== undefined,
    files: { [FIRST]: shared, [SECOND]: shared, [THIRD]: other },
  };
}

type Place = Parameters<typeof scratchGit>[0];

/** Clones a repository and checks two files out; undefined where git does not do that. */
async function tryClone(place: Place, top: string): Promise<Two | undefined> {
  const beside = { ...place, dir: dirname(place.dir) };
  const how = ["--quiet", "--shared", "--no-checkout", "--single-branch", "--no-tags"];
  try {
    await scratchGit(beside, ["clone", ...how, "--template=", "--", top, place.dir]);
    await scratchGit(place, ["update-ref", `refs/heads/${BRANCH}`, "HEAD"]);
    await scratchGit(place, ["symbolic-ref", "HEAD", `refs/heads/${BRANCH}`]);
    await scratchGit(place, ["read-tree", "HEAD"]);
    const rows = (await scratchGit(place, ["ls-files", "-s", "-z"])).split("\0");
    const regular = rows.filter((row) => REGULAR_FILE.test(row));
    const { two, there } = choose(regular.map((row) => row.slice(row.indexOf("\t") + 1)));
    await scratchGit(place, ["checkout-index", "--", ...there]);
    return two;
  } catch {
    // Without a commit, or where git lacks what it would have to fetch: copies do as well.
    return undefined;
  }
}

/** Makes a repository, or without git a folder, with copies of two files. */
async function makeOwn(
  place: Place,
  { root, listing, git }: Parameters<typeof makeScratch>[1] & { readonly git: boolean },
): Promise<Two> {
  rmSync(place.dir, { recursive: true, force: true });
  mkdirSync(place.dir);
  const { two, there } = choose(listing.paths, (path) => isCopied(fileOf(root, path)));
  for (const path of there) {
    mkdirSync(dirname(join(place.dir, path)), { recursive: true });
    copyFileSync(fileOf(root, path), join(place.dir, path));
  }
  if (!git) return two;
  await scratchGit(place, ["init", "--quiet", "--template="]);
  await scratchGit(place, ["symbolic-ref", "HEAD", `refs/heads/${BRANCH}`]);
  await scratchGit(place, ["add", "--all"]);
  await scratchGit(place, ["commit", "--quiet", "--allow-empty", "--message=As it was found"]);
  return two;
}

/**
 * Chooses what is edited: the README before others, for everybody wants that, then the first in
 * order; and which of the two are there already.
 */
function choose(
  paths: readonly string[],
  isUsable: (path: string) => boolean = () => true,
): { readonly two: Two; readonly there: readonly string[] } {
  const plain = paths.filter((path) => PLAIN.test(path) && languageOf(path) !== "other");
  const found: string[] = [];
  for (const isWanted of [isReadme, () => true]) {
    const rest = plain.filter((path) => !found.includes(path) && isWanted(path));
    for (const path of rest) if (found.length < 2 && isUsable(path)) found.push(path);
  }
  const made = MADE.filter((path) => !paths.includes(path));
  const [shared = MADE[0], other = MADE[1]] = [...found, ...made];
  return { two: [shared, other], there: found };
}

function isReadme(path: string): boolean {
  return /^README\.\w+$/i.test(path);
}

/** Whether a file is there, small, and this user's to read. */
function isCopied(path: Buffer): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).size <= COPY_BYTES_MAX;
  } catch {
    // Gone since it was listed, or another's.
    return false;
  }
}
