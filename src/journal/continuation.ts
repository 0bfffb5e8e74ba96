import { Fault } from "../ports/fault.ts";
import type { Head } from "../ports/journal.ts";

/**
 * Throws unless a journal that ends at `actual` continues one that was seen to end at `seen`.
 *
 * Shorter than seen is a `Fault` `journal_truncated`; another entry at the place that was seen is
 * `journal_forked`. `hashAt` gives the hash of a stored entry; `where` says who saw it.
 */
export function mustContinue(
  seen: Head,
  actual: Head,
  context: { readonly hashAt: (seq: number) => string | undefined; readonly where: string },
): void {
  if (actual.seq < seen.seq) {
    throw new Fault(
      "journal_truncated",
      `the journal must reach entry ${seen.seq} (${seen.hash}), which ${context.where} has seen, ` +
        `it ends at ${actual.seq}`,
    );
  }
  if (seen.seq === 0) return;
  const hash = seen.seq === actual.seq ? actual.hash : context.hashAt(seen.seq);
  if (hash === seen.hash) return;
  throw new Fault(
    "journal_forked",
    `entry ${seen.seq} must have the hash ${seen.hash}, which ${context.where} has seen, ` +
      `it has ${hash ?? "none"}`,
  );
}
