import type { Journal } from "../../ports/journal.ts";
import { countText, sizeText } from "../text/size.ts";
import { good, type Check } from "./check.ts";

/**
 * Looks whether every segment is there and begins as it did; `stint archive ls --verify` reads them
 * whole. Throws `Fault` `archive_broken`.
 */
export async function checkArchive(journal: Journal): Promise<Check> {
  const segments = await journal.segments();
  const last = segments.at(-1);
  if (last === undefined) return good("archive", "nothing is archived");
  // The first entry of each: its file must be there, of its size, to be read.
  for (const { firstSeq } of segments) await journal.readStored(firstSeq - 1, 1);
  const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  const size = `${countText(segments.length, "segment")}, ${sizeText(sizeBytes)}`;
  return good("archive", `entries up to ${last.last.seq}, in ${size}`);
}
