import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Node's argument by which a program's `import "stint"` is the source, without a build. */
export const FROM_SOURCE = `--import=${
  pathToFileURL(join(import.meta.dirname, "../../scripts/source.ts")).href
}`;
