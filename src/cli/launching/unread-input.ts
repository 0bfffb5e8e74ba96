import { fstatSync, readFileSync } from "node:fs";

/**
 * Whether this process was given something to read on stdin: a file with something behind the
 * place that is read next, or a pipe. Nothing is read of it: it may be meant for another program,
 * as in a loop over lines. Whether a pipe holds anything cannot be seen without reading, so that
 * a pipe counts always; a terminal, `/dev/null` and a socket never.
 */
export function hasUnreadInput(): boolean {
  try {
    const found = fstatSync(0);
    return found.isFIFO() || (found.isFile() && found.size > readPosition());
  } catch {
    // Closed: there is nothing to read.
    return false;
  }
}

/** Where stdin is read next, bytes. */
function readPosition(): number {
  const told = /^pos:\s+(\d+)$/m.exec(readFileSync("/proc/self/fdinfo/0", "utf8"))?.[1];
  return told === undefined ? 0 : Number(told);
}
