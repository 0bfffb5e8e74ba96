import { readFileSync } from "node:fs";

/** A mount as a process has it. */
export interface Mount {
  readonly id: string;
  readonly at: string;
  /** The part of its file system that it shows. */
  readonly root: string;
  readonly isReadOnly: boolean;
  readonly type: string;
  readonly source: string;
  /** Its own options, as they are written: a user namespace may take none of them away. */
  readonly options: string;
  /** The group that hears what is mounted on it; undefined where none does. */
  readonly shared: string | undefined;
  /** The group from which it hears. */
  readonly master: string | undefined;
}

/** The mounts of a process, the later over the earlier; none when it has ended. */
export function mountsOf(pid: number | "self"): readonly Mount[] {
  return parseMounts(readMounts(pid));
}

/** The mounts in what {@link readMounts} has read. */
export function parseMounts(text: string): readonly Mount[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [own = "", theirs = ""] = line.split(" - ");
      const [id = "", , , root = "", at = "", options = "", ...tags] = own.split(" ").map(unescape);
      const [type = "", source = ""] = theirs.split(" ").map(unescape);
      const isReadOnly = /^ro(?:,|$)/.test(options);
      const [shared, master] = [groupIn(tags, "shared:"), groupIn(tags, "master:")];
      return { id, at, root, isReadOnly, type, source, options, shared, master };
    });
}

function groupIn(tags: readonly string[], name: string): string | undefined {
  return tags.find((tag) => tag.startsWith(name))?.slice(name.length);
}

/** The mounts of a process as the kernel writes them; "" when it has ended. */
export function readMounts(pid: number | "self"): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}

/** Spaces, tabs, newlines and backslashes are written as octal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
