import { watch } from "node:fs";

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
