import { dirname } from "node:path";
import { getgid, getuid } from "node:process";
import { ok } from "../../../kernel/assert.ts";
import { boundsOf, type Bound } from "./nest.ts";
import { findProgram, SYSTEM_PATH } from "./programs.ts";
import { quote } from "./shell.ts";
import { tryRealpath } from "../../folder/paths.ts";
import { foldersBetween, type View, type Wrap } from "./view.ts";

/** Files below /proc by which root can change its host without any capability (proc(5)). */
const PROC_READ_ONLY = ["sys", "sysrq-trigger", "irq", "bus"].map((name) => `/proc/${name}`);

/** The devices that every program may expect, as in bubblewrap's /dev. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

const PROGRAMS = ["unshare", "setpriv", "mount", "umount", "mountpoint"] as const;

type Programs = Readonly<Record<(typeof PROGRAMS)[number], string>>;

/** The user that a sandbox is to be, in it as outside. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The wrap by util-linux's unshare(1) and setpriv(1); undefined where one of them is missing.
 *
 * Weaker than bubblewrap in that a worker of a plain user is shown that user's supplementary groups
 * as `nogroup`, and that what it may do in /proc and /sys is left to its uid there.
 */
export function utilLinux(user: User | undefined = ownUser()): Wrap | undefined {
  const programs = findPrograms();
  if (programs === undefined || user === undefined) return undefined;
  return (view) =>
    [
      // The death of the starter is that of unshare, and so of its child, the first inside.
      [programs.setpriv, "--pdeathsig", "KILL", "--"],
      [programs.unshare, "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL"],
      user.uid === 0 ? [] : ["--user", "--map-root-user"],
      view.hasNetwork ? [] : ["--net"],
      ["--", "/bin/sh", "-c", setUp(view, { programs, user }), "stint-setup"],
    ].flat();
}

/**
 * What runs as process 1 of the new namespaces, with the rights to mount there. It gives these up
 * at its end: root drops all capabilities; a plain user, who has them as root of a user namespace,
 * leaves that for a second one, in which it is itself. Mounts cannot be undone from either.
 */
function setUp(
  view: View,
  { programs, user }: { readonly programs: Programs; readonly user: User },
): string {
  const isRoot = user.uid === 0;
  const lines = [
    "set -e",
    // A folder of this process's PATH may be covered on the way.
    `PATH=${SYSTEM_PATH}:$PATH`,
    ...devices(),
    "mount -t proc -o nosuid,nodev,noexec proc /proc",
    ...(isRoot ? [...PROC_READ_ONLY.flatMap(freezeFile), "mount -o remount,bind,ro /sys"] : []),
    "[ ! -d /sys/fs/cgroup ] || mount -t tmpfs -o ro,size=4k,mode=755 stint /sys/fs/cgroup",
    // One more, that this ends with; the worker has no say over it from there.
    ...(isRoot ? [] : ["echo 1 > /proc/sys/user/max_user_namespaces"]),
    ...putAside(view),
    ...(view.nest === undefined ? [] : whatIsLeft(view, boundsOf(view.nest))),
    ...covers(view),
    `cd ${quote(view.cwd)}`,
    `exec ${becoming(programs, user)} "$@"`,
  ];
  const found = (["mount", "umount", "mountpoint"] as const)
    .map((name) => `${name}() { ${quote(programs[name])} "$@"; }\n`)
    .join("");
  return found + lines.join("\n");
}

function devices(): readonly string[] {
  return [
    // From here the host's devices can still be reached when they are covered.
    "cd /dev",
    "mount -t tmpfs -o mode=755,size=1m,nosuid,noexec stint /dev",
    ...DEVICES.flatMap((name) => [
      `: > /dev/${name}`,
      `mount --no-canonicalize --bind ./${name} /dev/${name}`,
    ]),
    "cd /",
    "mkdir /dev/pts /dev/shm /dev/.stint",
    "mount -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts /dev/pts",
    "mount -t tmpfs -o mode=1777,nosuid,nodev stint /dev/shm",
    "ln -s pts/ptmx /dev/ptmx",
    "ln -s /proc/self/fd /dev/fd",
    ...["stdin", "stdout", "stderr"].map((name, fd) => `ln -s fd/${fd} /dev/${name}`),
  ];
}

function freezeFile(path: string): readonly string[] {
  const bound = `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`;
  return [`if [ -e ${path} ]; then ${bound}; fi`];
}

/** Where something is put aside, by what it is and its number. */
const aside = (what: "bound" | "visible", index: number): string => `/dev/.stint/${what}-${index}`;

/** Puts aside what is to be shown or written to, before anything comes over it. */
function putAside(view: View): readonly string[] {
  const bounds = view.nest === undefined ? [] : boundsOf(view.nest);
  return [
    ...bounds.flatMap(({ from, isReadOnly }, index) =>
      isReadOnly ? [] : keep(from, aside("bound", index)),
    ),
    ...(view.nest === undefined ? keepVisible(view) : []),
  ];
}

function keepVisible({ visible }: View): readonly string[] {
  return visible.flatMap((path, index) => keep(path, aside("visible", index)));
}

function keep(from: string, at: string): readonly string[] {
  const make = `if [ -d ${quote(from)} ]; then mkdir ${at}; else : > ${at}; fi`;
  return [make, `mount --rbind ${quote(from)} ${at}`];
}

/**
 * Makes all of the host's mounts read-only, each with the options that it has: a user namespace may
 * take none away. One that another covers is not there to be written to.
 */
const READ_ONLY = [
  "while read -r _ _ _ _ stint_at stint_options _; do",
  "  case $stint_at in /dev | /dev/* | /proc | /proc/* | /sys) continue ;; esac",
  "  case $stint_options in ro | ro,*) continue ;; esac",
  `  stint_at=$(printf '%b.' "$stint_at")`,
  '  mount -o "remount,bind,ro${stint_options#rw}" "${stint_at%.}" 2>/dev/null ||',
  '    ! mountpoint -q "${stint_at%.}"',
  "done < /proc/self/mountinfo",
];

/** Makes all read-only, and brings back what is to be seen and what may be written to. */
function whatIsLeft(view: View, bounds: readonly Bound[]): readonly string[] {
  return [
    ...READ_ONLY,
    ...keepVisible(view),
    // A mount is as writable as the one that it is made of.
    ...bounds.flatMap(({ from, isReadOnly }, index) =>
      isReadOnly ? keep(from, aside("bound", index)) : [],
    ),
    ...bounds.flatMap(({ at }, index) => {
      const kept = aside("bound", index);
      const make = `if [ -d ${kept} ]; then mkdir -p ${quote(at)}; else ${makeFile(at)}; fi`;
      return [make, `mount --rbind ${kept} ${quote(at)}`, `umount -l ${kept}`];
    }),
  ];
}

function makeFile(path: string): string {
  return `mkdir -p ${quote(dirname(path))}; [ -e ${quote(path)} ] || : > ${quote(path)}`;
}

/** Covers what is to be hidden, and brings back what is to be shown in it. */
function covers({ hidden, visible }: View): readonly string[] {
  return [
    ...hidden.flatMap((path) => [
      `mkdir -p ${quote(path)}`,
      `mount -t tmpfs -o mode=755,size=1m,nosuid,nodev stint ${quote(path)}`,
    ]),
    ...visible.flatMap((path, index) => [
      ...hidden.flatMap((cover) => [...foldersBetween(cover, path)].map(makeFolder)),
      makeFolder(path),
      `mount --rbind ${aside("visible", index)} ${quote(path)}`,
      `umount -l ${aside("visible", index)}`,
    ]),
    // An empty folder that can be written to would be memory that nobody has granted.
    ...hidden.map((path) => `mount -o remount,bind,ro ${quote(path)}`),
    "rm -r /dev/.stint",
    "mount -o remount,bind,ro,nosuid,noexec /dev",
  ];
}

function makeFolder(path: string): string {
  return `[ -d ${quote(path)} ] || mkdir ${quote(path)}`;
}

function becoming({ setpriv, unshare }: Programs, { uid, gid }: User): string {
  if (uid === 0) {
    const none = "--bounding-set=-all --inh-caps=-all --ambient-caps=-all";
    return `${quote(setpriv)} ${none} --no-new-privs --`;
  }
  const again = `${quote(unshare)} --user --map-user=${uid} --map-group=${gid} --`;
  return `${again} ${quote(setpriv)} --no-new-privs --`;
}

function findPrograms(): Programs | undefined {
  // By its real path: that of a link may be covered before it is needed.
  const found = PROGRAMS.map((name) => [name, realpathOf(findProgram(name))] as const);
  if (found.some(([, file]) => file === undefined)) return undefined;
  return Object.fromEntries(found) as Programs;
}

function realpathOf(program: string | undefined): string | undefined {
  return program === undefined ? undefined : tryRealpath(program);
}

function ownUser(): User | undefined {
  // Not on Windows, where there are no namespaces either.
  if (getuid === undefined || getgid === undefined) return undefined;
  const user = { uid: getuid(), gid: getgid() };
  ok(user.uid >= 0 && user.gid >= 0, "a user's numbers are not below 0");
  return user;
}
