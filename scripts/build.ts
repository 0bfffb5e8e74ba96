// `npm run build [-- OUT_DIR]`: src/ as JavaScript and declarations for those who import it, and
// the command line as a bundle for those who call it; in dist/ by default.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleCli } from "./bundle.ts";

const ROOT = join(import.meta.dirname, "..");
const outDir = resolve(process.argv[2] ?? join(ROOT, "dist"));

// What an earlier build left would be published with the rest.
rmSync(outDir, { recursive: true, force: true });

const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
const args = [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", outDir];
process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
if (process.exitCode === 0) await bundleCli(outDir);
