import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** `supervisor.json`: which process supervises the fleet; for people, and to find its socket. */
export interface About {
  readonly pid: number;
  /** When it began, as `<boot>/<ticks>`: tells it from a later bearer of its pid. */
  readonly started: string;
  readonly version: string;
  /** The path of its operator socket. */
  readonly socket: string;
  /** Names the file of its claim: in a copy of the state folder that is another. */
  readonly claim: string;
}

/** Writes the document, whole or not at all; an older one is replaced. */
export function writeAbout(file: string, about: About): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, `${JSON.stringify(about)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Removes the document if it still is this process's. */
export function removeAbout(file: string, about: About): void {
  if (readAbout(file)?.started === about.started) rmSync(file, { force: true });
}

/** The document as it is; undefined when there is none or it says nothing. */
export function readAbout(file: string): Partial<About> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // No supervisor has run here, or none could write it.
    return undefined;
  }
}
