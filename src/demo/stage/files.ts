import { InputError } from "../../index.ts";
import { listTree, TooManyFiles, type Listing, type ListingOptions } from "../tree/listing.ts";

/**
 * Lists a tree that is to be analysed. Throws `InputError` where there is nothing to analyse, or
 * more than is walked for: nothing is begun on either.
 */
export async function demandFiles(root: string, options: ListingOptions): Promise<Listing> {
  const listing = await listTree(root, options).catch(refuseTooMany);
  if (listing.paths.length > 0) return listing;
  const expected = listing.git
    ? "a repository that tracks files (commit some, or name another tree)"
    : "a folder with files (name another one)";
  throw new InputError("usage", [{ path: "--repo", expected, got: `none in ${root}` }]);
}

function refuseTooMany(error: unknown): never {
  if (!(error instanceof TooManyFiles)) throw error;
  const { countMax, root } = error;
  const expected = `a tree of at most ${countMax} files where git names none (name a smaller one)`;
  throw new InputError("limit_exceeded", [{ path: "--repo", expected, got: `more in ${root}` }]);
}
