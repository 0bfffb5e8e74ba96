import { readFileSync } from "node:fs";

/** A mount as a process has it. */
export interface Mount {
  readonly at: string;
  /** The part of its file system that it shows. */
  readonly root: string;
  readonly isReadOnly: boolean;
  readonly type: string;
  readonly source: string;
}

/** The mounts of a process, the later over the earlier; none when it has ended. */
export function mountsOf(pid: number | "self"): readonly Mount[] {
  return readMounts(pid)
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [own = "", theirs = ""] = line.split(" - ");
      const [, , , root = "", at = "", options = ""] = own.split(" ").map(unescape);
      const [type = "", source = ""] = theirs.split(" ").map(unescape);
      return { at, root, isReadOnly: /^ro(?:,|$)/.test(options), type, source };
    });
}

function readMounts(pid: number | "self"): string {
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
