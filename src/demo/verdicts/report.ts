import { counted } from "../telling/counted.ts";
import type { Verdict } from "./verdict.ts";

/** The files of the merged report, and those that are listed here. */
export interface FilesSeen {
  readonly files: number;
  readonly lines: number;
  /** Files that the workers were not let read. */
  readonly unreadable: number;
  readonly listed: number;
  /** Files that the demo itself is not let read. */
  readonly closedFiles: number;
  /** Folders that the demo itself is not let list; what is in them nobody counts. */
  readonly closedFolders: number;
}

/** Every file that is listed is counted, but for those that this very user may not read. */
export function files(seen: FilesSeen): Verdict {
  const { unreadable, listed, closedFiles, closedFolders } = seen;
  return {
    isSeen: seen.files > 0 && seen.files + unreadable === listed && unreadable === closedFiles,
    details: [
      `${counted(seen.files, "file")}, ${counted(seen.lines, "line")}`,
      `${listed} listed here`,
      unreadable === 0 ? "" : `${unreadable} that the workers were not let read`,
      closedFiles === 0 ? "" : `${closedFiles} that nobody here is let read`,
      closedFolders === 0 ? "" : `${counted(closedFolders, "folder")} that nobody here is let list`,
    ],
  };
}

/** Every byte of the files that are listed and may be read. */
export function bytes(seen: { readonly reported: number; readonly byStat: number }): Verdict {
  const { reported, byStat } = seen;
  return { isSeen: reported === byStat, details: [`${reported}`, `${byStat} by stat`] };
}

/** How many admitted workers of each generation have processes in the host's table. */
export function generations({ counts }: { readonly counts: readonly number[] }): Verdict {
  return {
    isSeen: counts.length === 2 && counts.every((count) => count > 0),
    details: [`${counts.join(" and ")} workers with processes in the host's table`],
  };
}
