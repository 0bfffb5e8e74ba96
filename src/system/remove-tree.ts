import { execFile } from "node:child_process";

/** How long it may take, ms; a worker may have left millions of files. */
const removingMs = 3_600_000;

const complaintCharsMax = 500;

/**
 * Removes a folder that a worker has written to, with all that is in it; safe where there is none.
 * It is the system's own `rm`: however many names and however deep, it needs no memory here, and
 * nobody waits for it but who asked. Throws what it complained of.
 */
export function removeTree(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: removingMs, killSignal: "SIGKILL" } as const;
    execFile("rm", ["-rf", "--", folder], options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else
        reject(
          new Error(`rm ${folder}: ${stderr.trim().slice(-complaintCharsMax) || error.message}`),
        );
    });
  });
}
