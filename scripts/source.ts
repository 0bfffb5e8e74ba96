// `node --import scripts/source.ts FILE`: the program's "stint" is the source beside this file, as
// a user's is the installed package. Without it Node would take what was built last.
import { enableCompileCache, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { listDoors } from "./doors.ts";

// Hundreds of test processes load the same source: its types are stripped once.
enableCompileCache(join(tmpdir(), `stint-source-${process.getuid?.() ?? 0}`));

const sources = new Map(
  listDoors().map(({ specifier, source }) => [specifier, pathToFileURL(source).href]),
);

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
});
