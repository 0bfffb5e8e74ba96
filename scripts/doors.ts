import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** A door: what a program imports by the package's name. */
export interface Door {
  /** What is imported: `stint/worker`. */
  readonly specifier: string;
  /** Its file in `dist/`, without an extension: `testing/index`. */
  readonly name: string;
  /** Absolute path of its source. */
  readonly source: string;
}

/** The doors that `exports` of package.json lead to. Throws when one does not lead into `dist/`. */
export function listDoors(): readonly Door[] {
  const path = join(ROOT, "package.json");
  // Our own file, kept in form by npm and the tests of the package.
  const manifest = JSON.parse(readFileSync(path, "utf8")) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  return Object.entries(manifest.exports).flatMap(([key, door]) => {
    if (typeof door === "string") return [];
    const name = /^\.\/dist\/(.+)\.js$/.exec(door.default)?.[1];
    if (name === undefined)
      throw new Error(`"${key}" of exports must be ./dist/….js, got ${door.default}`);
    const source = join(ROOT, "src", `${name}.ts`);
    return [{ specifier: join(manifest.name, key), name, source }];
  });
}
