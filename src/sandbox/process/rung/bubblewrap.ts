import { getgid, getuid } from "node:process";
import { boundsOf, type Bound } from "./nest.ts";
import { findProgram } from "./programs.ts";
import type { Wrap } from "./view.ts";

/**
 * The wrap by bubblewrap (bwrap(1)); undefined where it is not installed.
 *
 * All of the host's files, to be written to as far as the view says so, but devices, processes and
 * what is to be hidden; /sys, and with it the control groups, read-only. No capabilities, no
 * privileges to be gained, and as root none of root's but those over files that root owns.
 *
 * `isClosed`: in a user namespace of its own, in which nobody makes another. Who makes one is root
 * in it, mounts the control groups anew and lifts its own limits. Hosts may refuse it to root where
 * they allow the rest (a container with a masked /proc), and bubblewrap before 0.8 has it not.
 */
export function bubblewrap({ isClosed }: { readonly isClosed: boolean }): Wrap | undefined {
  const bwrap = findProgram("bwrap");
  if (bwrap === undefined) return undefined;
  return ({ cwd, hidden, visible, hasNetwork, nest }) =>
    [
      [bwrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
      userNamespace(isClosed),
      hasNetwork ? [] : ["--unshare-net"],
      ["--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL"],
      [nest === undefined ? "--bind" : "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
      ["--ro-bind", "/sys", "/sys"],
      // Bubblewrap asks access(2) whether root can write to these, and is told no: but it can.
      ["/proc/sys", "/proc/sysrq-trigger"].flatMap((path) => ["--ro-bind-try", path, path]),
      (nest === undefined ? [] : boundsOf(nest)).flatMap(bind),
      // All that is mounted there comes along with the host's files: no way may lead to it.
      nest === undefined || nest.ground.length === 0 ? [] : cover(nest.folder),
      hidden.flatMap((path) => ["--tmpfs", path]),
      // What is shown there is to be read and connected to.
      visible.flatMap((path) => [nest === undefined ? "--bind" : "--ro-bind", path, path]),
      // An empty folder that can be written to would be memory that nobody has granted.
      [...hidden, ...(nest === undefined ? [] : ["/dev"])].flatMap((at) => ["--remount-ro", at]),
      ["--chdir", cwd, "--"],
    ].flat();
}

function cover(folder: string): readonly string[] {
  return ["--tmpfs", folder, "--remount-ro", folder];
}

function bind({ from, at, isReadOnly }: Bound): readonly string[] {
  return [isReadOnly ? "--ro-bind" : "--bind", from, at];
}

/** Who is a plain user outside is so inside, also where it begins as root of a room. */
function userNamespace(isClosed: boolean): readonly string[] {
  const closed = isClosed ? ["--disable-userns"] : [];
  const [uid, gid] = [getuid?.(), getgid?.()];
  if (uid === undefined || gid === undefined || uid === 0)
    return isClosed ? ["--unshare-user", ...closed] : [];
  return ["--unshare-user", ...closed, "--uid", String(uid), "--gid", String(gid)];
}
