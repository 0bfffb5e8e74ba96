// `node --import scripts/source.ts FILE`: the program's "stint" is the source beside this file, as
// a user's is the installed package. Without it Node would take what was built last.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { listDoors } from "./doors.ts";

const sources = new Map(
  listDoors().map(({ specifier, source }) => [specifier, pathToFileURL(source).href]),
);

registerHooks({
  resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context),
});
