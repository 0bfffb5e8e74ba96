/**
 * Makes one scan of all that is asked for at the same time: each caller gets one that began after
 * it asked, and no two run at once. A scan that fails is told to those who asked for it, and holds
 * up nobody after them.
 */
export function shareScans<T>(scan: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    if (next !== undefined) return next;
    next = running.then(() => {
      next = undefined;
      return scan();
    });
    running = next.catch(() => undefined);
    return next;
  };
}
