// `npm run build [-- OUT_DIR]`: all of src/ that is published as bundled JavaScript, and the
// declarations of its doors; in dist/ by default.
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.ts";
import { declare } from "./declarations.ts";
import { listDoors } from "./doors.ts";

const outDir = resolve(process.argv[2] ?? join(import.meta.dirname, "../dist"));

// What an earlier build left would be published with the rest.
rmSync(outDir, { recursive: true, force: true });
declare(
  outDir,
  listDoors().map(({ name }) => `${name}.d.ts`),
);
await bundle(outDir);
