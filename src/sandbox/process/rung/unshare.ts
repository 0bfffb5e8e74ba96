import { getgid, getuid } from "node:process";
import { ok } from "../../../kernel/assert.ts";
import { findProgram } from "./programs.ts";
import { quote } from "./shell.ts";
import { foldersBetween, type View, type Wrap } from "./view.ts";

/** Files below /proc by which root can change its host without any capability (proc(5)). */
const PROC_READ_ONLY = ["sys", "sysrq-trigger", "irq", "bus"].map((name) => `/proc/${name}`);

/** The devices that every program may expect, as in bubblewrap's /dev. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

const PROGRAMS = ["unshare", "setpriv", "mount", "umount"] as const;

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
    ...devices(),
    "mount -t proc -o nosuid,nodev,noexec proc /proc",
    ...(isRoot ? [...PROC_READ_ONLY.flatMap(freezeFile), "mount -o remount,bind,ro /sys"] : []),
    "[ ! -d /sys/fs/cgroup ] || mount -t tmpfs -o ro,size=4k,mode=755 stint /sys/fs/cgroup",
    // One more, that this ends with; the worker has no say over it from there.
    ...(isRoot ? [] : ["echo 1 > /proc/sys/user/max_user_namespaces"]),
    ...covers(view),
    `cd ${quote(view.cwd)}`,
    `exec ${becoming(programs, user)} "$@"`,
  ];
  const { mount, umount } = programs;
  const found = `mount() { ${quote(mount)} "$@"; }\numount() { ${quote(umount)} "$@"; }\n`;
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

/** Puts aside what is to be shown, covers what is to be hidden, and brings the former back. */
function covers({ hidden, visible }: View): readonly string[] {
  const aside = (index: number): string => `/dev/.stint/${index}`;
  return [
    ...visible.flatMap((path, index) => [
      `mkdir ${aside(index)}`,
      `mount --bind ${quote(path)} ${aside(index)}`,
    ]),
    ...hidden.map((path) => `mount -t tmpfs -o mode=755,size=1m,nosuid,nodev stint ${quote(path)}`),
    ...visible.flatMap((path, index) => [
      ...hidden.flatMap((cover) => [...foldersBetween(cover, path)].map(makeFolder)),
      makeFolder(path),
      `mount --bind ${aside(index)} ${quote(path)}`,
      `umount ${aside(index)}`,
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
  const found = PROGRAMS.map((name) => [name, findProgram(name)] as const);
  if (found.some(([, file]) => file === undefined)) return undefined;
  return Object.fromEntries(found) as Programs;
}

function ownUser(): User | undefined {
  // Not on Windows, where there are no namespaces either.
  if (getuid === undefined || getgid === undefined) return undefined;
  const user = { uid: getuid(), gid: getgid() };
  ok(user.uid >= 0 && user.gid >= 0, "a user's numbers are not below 0");
  return user;
}
