import { execFile } from "node:child_process";
import { isAbsolute } from "node:path";

/** How long it may take, ms; a worker may have left millions of files. */
const removingMs = 3_600_000;

const complaintCharsMax = 500;

/**
 * Removes a folder that a worker has written to, with all that is in it; safe where there is none.
 * It is the system's own `rm`: however many names and however deep, it needs no memory here, and
 * nobody waits for it but who asked. Folders that their owner may not look into are opened to it,
 * and it is tried once more. Throws what it complained of then; a signal ends it where it is.
 */
export async function removeTree(folder: string, signal?: AbortSignal): Promise<void> {
  const remove = (): Promise<void> => run("rm", ["-rf", "--", folder], signal);
  try {
    await remove();
  } catch {
    signal?.throwIfAborted();
    // What is wrong with it still is wrong for `rm`, which says so.
    await run("find", [...REAL, folder, ...CLOSED, ...OPEN], signal).catch(() => undefined);
    await remove();
  }
}

/** No link is followed: only what lies below the folder is meant. */
const REAL = ["-P"];
const CLOSED = ["-xdev", "-type", "d", "!", "-perm", "-0700"];

/**
 * Before it is looked into, and from the folder that it lies in: however long the whole path is.
 * Files keep their modes: one may be known elsewhere by another name.
 */
const OPEN = ["-execdir", "chmod", "u+rwx", "{}", ";"];

function run(program: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const options = {
    timeout: removingMs,
    killSignal: "SIGKILL",
    env: { PATH: absolutePath(), LC_ALL: "C" },
    ...(signal === undefined ? {} : { signal }),
  } as const;
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, _stdout, stderr) => {
      const said = stderr.trim().slice(-complaintCharsMax);
      if (error === null) resolve();
      else reject(new Error(`${program} ${args.at(-1) ?? ""}: ${said || error.message}`));
    });
  });
}

/** Where programs are looked up; `find` runs none where that depends on the folder it is in. */
function absolutePath(): string {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.filter((folder) => isAbsolute(folder)).join(":");
}
