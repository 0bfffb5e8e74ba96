// What a sandbox may write to. What is its own is mounted in a namespace that the launcher makes
// for it on its way to the wrapper: nobody else has it, and it goes with the last process inside.
//
//     launcher -> a mount namespace -> memory over its folder -> the home on the host's -> wrapper

import { statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { getuid } from "node:process";
import { Fault } from "../../../ports/fault.ts";
import { mountsOf } from "./mounts.ts";
import { findProgram, SYSTEM_PATH } from "./programs.ts";
import { quote } from "./shell.ts";
import { isBelow, tryRealpath } from "../../folder/paths.ts";

/** What a sandbox may write to: its own for as long as it lives, and folders of the host. */
export interface Nest {
  /** The folder of the host that its own is mounted over, for it alone. */
  readonly folder: string;
  /** In that: what it has in the place of the folders for temporary files. */
  readonly tmp: string;
  /** In that: what it has as `/dev/shm` (shm_overview(7)). */
  readonly shm: string;
  /** Where those are. */
  readonly temporary: readonly string[];
  /** In that: what it has as its home, and where that is; undefined where it needs none. */
  readonly home: { readonly from: string; readonly at: string } | undefined;
  /** Real paths of folders that it may write to; whatever else there is, it may not. */
  readonly writable: readonly string[];
  /** Real paths of folders of which it may be let write to parts while it runs. */
  readonly ground: readonly string[];
  /** What it has in the place of folders of those. */
  readonly instead: readonly Bound[];
  /** Real paths of what it is to see of the host's folders for temporary files. */
  readonly shown: readonly string[];
  /** How much may be written to its own, bytes; it is memory, and counted as such. */
  readonly scratchBytes: number | undefined;
}

/** What a nest is made for. */
export interface NestSpec {
  readonly folder: string;
  /** Real paths of folders that are to be writable; what is not there is left out. */
  readonly writable: readonly string[];
  /** Files and folders that it is to see, wherever they lie. */
  readonly shown: readonly string[];
  /** Real paths of folders of which it may be let write to parts while it runs. */
  readonly ground?: readonly string[];
  /** What it has in the place of folders of those. */
  readonly instead?: readonly Bound[];
  readonly scratchBytes?: number | undefined;
}

/** Folders that programs write temporary files to, whatever they are told. */
const TEMPORARY = ["/tmp", "/var/tmp"];

/** Plans a nest, by what there is on this host now. */
export function planNest({ folder, scratchBytes, ...given }: NestSpec): Nest {
  // They are not resolved: of one that a worker may change that would lead anywhere.
  const writable = [...new Set(given.writable)].filter((path) => tryRealpath(path) === path);
  const ground = [...new Set(given.ground)].filter((path) => tryRealpath(path) === path);
  const temporary = TEMPORARY.filter((path) => tryRealpath(path) === path);
  const at = homeFor([...writable, ...ground]);
  // A layer shows nothing of what is mounted below the home.
  const mounted = at === undefined ? [] : mountsBelow(at);
  return {
    folder,
    tmp: join(folder, "tmp"),
    shm: join(folder, "shm"),
    temporary,
    home: at === undefined ? undefined : { from: join(folder, "home"), at },
    writable,
    shown: shownIn([...temporary, ...mounted.map((path) => dirname(path))], {
      shown: [...given.shown, ...mounted],
      writable: [...writable, ...ground],
    }),
    ground,
    instead: given.instead ?? [],
    scratchBytes,
  };
}

/** Whether this host has what nests are made by. */
export function hasNests(): boolean {
  return findProgram("unshare") !== undefined && findProgram("mount") !== undefined;
}

/**
 * What makes a nest: the program and arguments that a wrapper's own follow. Throws `Fault`
 * `sandbox_unavailable` where the programs for it are missing.
 */
export function nestCommand(nest: Nest): readonly string[] {
  const unshare = findProgram("unshare");
  if (unshare === undefined) {
    const message = "folders of a sandbox's own need the program unshare; install util-linux";
    throw new Fault("sandbox_unavailable", message);
  }
  const user = getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const script = ["/bin/sh", "-c", scriptOf(nest), "stint-nest"];
  return [unshare, ...user, "--mount", "--propagation", "private", "--", ...script];
}

function scriptOf({ folder, home, ground, scratchBytes }: Nest): string {
  const size = scratchBytes === undefined ? "" : `size=${scratchBytes},`;
  return [
    "set -e",
    `PATH=${SYSTEM_PATH}:$PATH`,
    `mount -t tmpfs -o ${size}mode=755,nosuid,nodev stint ${quote(folder)}`,
    // From within it: its path does not have to be an option of a mount.
    `cd ${quote(folder)}`,
    "mkdir -m 1777 tmp shm",
    ...(home === undefined ? [] : layer(home.at)),
    // What is mounted on these from outside is heard inside, and what is taken from them too.
    // The nest may lie in it, and must not come along: what is taken from one would be from both.
    ...(ground.length === 0 ? [] : ["mount --make-unbindable ."]),
    ...ground.flatMap((path, index) => [
      `mkdir ${HUB}${index}`,
      `mount --rbind ${quote(path)} ${HUB}${index}`,
      `mount --make-shared ${HUB}${index}`,
    ]),
    ...(ground.length === 0 ? [] : ["mount --make-private ."]),
    'exec "$@"',
  ].join("\n");
}

/**
 * Lays a home over the host's; where its file system cannot be laid under another, read-only. Each
 * program that is run here is waited for by every start.
 */
function layer(home: string): readonly string[] {
  const mode = ((statSync(home, { throwIfNoEntry: false })?.mode ?? 0o700) & 0o7777).toString(8);
  const isPlain = PLAIN.test(home);
  const lower = isPlain ? home : "lower";
  const options = `lowerdir=${lower},upperdir=upper,workdir=work,userxattr,nosuid,nodev`;
  return [
    `mkdir -m ${mode} upper work home`,
    // What could be taken for a part of an option is given another name.
    ...(isPlain ? [] : ["mkdir lower", `mount --rbind ${quote(home)} lower`]),
    `mount -t overlay -o ${options} stint home 2> /dev/null || {`,
    `  mount --rbind ${quote(lower)} home`,
    // A user namespace may take none of a mount's options away.
    '  stint_kept=$(findmnt -no OPTIONS -M "$PWD/home")',
    '  mount -o "remount,bind,ro${stint_kept#r[ow]}" home',
    "}",
  ];
}

/** A path that stands for itself among the options of a mount, and in a shell's script. */
const PLAIN = /^[\w./-]+$/;

/** The home that is to be laid over; undefined where there is none, or it may be written to. */
function homeFor(writable: readonly string[]): string | undefined {
  const home = tryRealpath(homedir());
  if (home === undefined || home === "/") return undefined;
  const isCovered = writable.some((path) => path === home || isBelow(home, path));
  return isCovered ? undefined : home;
}

/** Something of the host, or of a nest, and where a sandbox has it. */
export interface Bound {
  readonly from: string;
  readonly at: string;
  readonly isReadOnly: boolean;
}

/** All that a nest lets be seen and written to, what lies in another after it. */
export function boundsOf(nest: Nest): readonly Bound[] {
  const { tmp, shm, temporary, home, writable, shown, ground, instead } = nest;
  const open = [
    ...(home === undefined ? [] : [home]),
    ...temporary.map((at) => ({ from: tmp, at })),
    { from: shm, at: SHARED_MEMORY },
    ...writable.map((path) => ({ from: path, at: path })),
  ];
  const bounds = [
    ...shown.map((path) => ({ from: path, at: path, isReadOnly: true })),
    ...ground.map((at) => ({ from: hubOf(nest, at), at, isReadOnly: true })),
    ...open.map((one) => ({ ...one, isReadOnly: false })),
    ...instead,
  ];
  // Of two at one path the one that was given is meant, and it is the later.
  return bounds.toSorted((one, other) => one.at.length - other.at.length);
}

/** What the places in a nest are called that its ground is bound to, before their numbers. */
const HUB = "ground-";

/** Where in a nest a folder of its ground is; what is mounted below that, a sandbox has. */
export function hubOf({ folder, ground }: Pick<Nest, "folder" | "ground">, path: string): string {
  return join(folder, `${HUB}${ground.indexOf(path)}`);
}

/** Where programs share memory (shm_overview(7)). */
const SHARED_MEMORY = "/dev/shm";

/** Where file systems are mounted below a folder (proc_pid_mountinfo(5)). */
function mountsBelow(folder: string): readonly string[] {
  const points = mountsOf("self").map(({ at }) => at);
  return [...new Set(points)].filter((at) => isBelow(at, folder));
}

/**
 * Demands that a process which stands ready to run a program has what is its own for itself, and
 * nothing else in its place: the way to where it was made may lie where workers write. Throws
 * `Fault` `sandbox_failed` otherwise.
 */
export function demandNest(nest: Nest, pid: number): void {
  const mounts = mountsOf(pid);
  demandGround(nest, pid);
  const own = boundsOf({ ...nest, writable: [], shown: [], ground: [], instead: [] });
  const given = new Set([...nest.writable, ...nest.shown, ...nest.ground]);
  for (const { from, at } of own) {
    if (given.has(at)) continue;
    const mount = mounts.findLast((one) => one.at === at);
    const isOwn = mount?.source === OWN && mount.root === `/${basename(from)}`;
    const isLayer = mount?.source === OWN && mount.type === "overlay";
    if (isOwn && mount.type === "tmpfs") continue;
    if (from === nest.home?.from && (isLayer || mount?.isReadOnly === true)) continue;
    const message = `${at} of a sandbox must be its own, it is not: nothing is run`;
    throw new Fault("sandbox_failed", message);
  }
}

/** Demands that what lies where its ground is be that, and not for it to write to. */
function demandGround({ ground, instead }: Nest, pid: number): void {
  for (const { from, at } of instead) {
    if (identityOf(from) === identityOf(`/proc/${pid}/root${at}`)) continue;
    const message = `${at} of a sandbox must be ${from}, it is not: nothing is run`;
    throw new Fault("sandbox_failed", message);
  }
  const mounts = mountsOf(pid);
  for (const path of ground) {
    const mount = mounts.findLast(({ at }) => at === path);
    const isHearing = mount?.isReadOnly === true && mount.master !== undefined;
    if (isHearing && identityOf(path) === identityOf(`/proc/${pid}/root${path}`)) continue;
    const message = `the ground of a sandbox must be ${path}, read-only, it is not: nothing is run`;
    throw new Fault("sandbox_failed", message);
  }
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

/** What its mounts say that they are of. */
const OWN = "stint";

/** What lies in folders that are covered, and is not there to be written to anyway. */
function shownIn(
  covered: readonly string[],
  { shown, writable }: Pick<NestSpec, "shown" | "writable">,
): readonly string[] {
  const real = [...new Set(shown.flatMap((path) => tryRealpath(path) ?? []))];
  const isIn = (path: string, folders: readonly string[]): boolean =>
    folders.some((folder) => path === folder || isBelow(path, folder));
  return real.filter((path) => covered.some((one) => isBelow(path, one)) && !isIn(path, writable));
}
