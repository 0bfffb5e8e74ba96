import { LIMITS } from "../kernel/limits.ts";
import type { Entry } from "../kernel/entry.ts";
import { Fault } from "../ports/fault.ts";
import type { Journal } from "../ports/journal.ts";

/** Whether something failed for a segment of the archive that is missing or broken. */
export function isArchiveBroken(error: unknown): error is Fault {
  return error instanceof Fault && error.code === "archive_broken";
}

/** What is read, or undefined where it was archived and the archive is broken: it is unknown. */
export async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isArchiveBroken(error)) return undefined;
    throw error;
  }
}

/** The newest entries about somebody, as far back as they can be read. */
export interface NewestAbout {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** Why there are no older ones here; null where there are no more, or no more were asked for. */
  readonly missing: Fault | null;
}

/**
 * The newest entries about a worker or a lease, up to `limit`: all of them, or those before which a
 * broken segment stands. Whoever concludes something from an entry that is not here looks at
 * `missing` first. Throws what else reading throws.
 */
export async function newestAbout(
  journal: Pick<Journal, "about">,
  subject: string,
  limit: number,
): Promise<NewestAbout> {
  let missing: Fault;
  try {
    return { entries: await journal.about(subject, limit), missing: null };
  } catch (error) {
    if (!isArchiveBroken(error)) throw error;
    missing = error;
  }
  let entries: readonly Entry[] = [];
  let tooManyCount = Math.min(limit, LIMITS.readEntriesMax);
  while (tooManyCount - entries.length > 1) {
    const count = Math.floor((entries.length + tooManyCount) / 2);
    const found = await readable(journal.about(subject, count));
    if (found === undefined) tooManyCount = count;
    else if (found.length < count) return { entries: found, missing: null };
    else entries = found;
  }
  return { entries, missing };
}
