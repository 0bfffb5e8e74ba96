import { readdirSync, rmSync, watch } from "node:fs";
import { join } from "node:path";

/** Calls `listener` when a file may have been taken away; a hint only. Returns how to stop it. */
export function watchFile(file: string, listener: () => void): () => void {
  try {
    const watcher = watch(file, { persistent: false }, listener);
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    // It is gone already, or the host has no more watches to give: rounds find it, later.
    return () => undefined;
  }
}

/** Removes what lies in a folder; sockets and tokens of a dead supervisor open nothing any more. */
export function clearFolder(folder: string): void {
  for (const name of readdirSync(folder))
    rmSync(join(folder, name), { recursive: true, force: true });
}
