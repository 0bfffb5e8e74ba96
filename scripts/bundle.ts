import { builtinModules } from "node:module";
import { join } from "node:path";
import { build, type Plugin } from "vite";

const ROOT = join(import.meta.dirname, "..");

/** What cannot be put into one file: native modules, and a logger that starts threads by path. */
const EXTERNAL = ["better-sqlite3", "pino"];

/** What a call loads that only looks: it must start fast, so it is one file, read at once. */
const COLD = ["src/cli/main.ts", "src/cli/commands/workers.ts", "src/compose/reading.ts"];

/**
 * Bundles the command line into `outDir`: `cli.js`, and in `chunks/` a file for what is loaded on
 * demand, each verb by itself, so that a call loads what it needs and nothing else.
 */
export async function bundleCli(outDir: string): Promise<void> {
  const cold = new Set<string>();
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "warn",
    plugins: [findClosure(cold)],
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: "node22",
      // A stack trace is to be read by people.
      minify: false,
      rolldownOptions: {
        input: { cli: join(ROOT, "src/cli/main.ts") },
        external: [...builtinModules, /^node:/, ...EXTERNAL],
        // One verb may load at once what another leaves for later.
        checks: { ineffectiveDynamicImport: false },
        output: {
          entryFileNames: "[name].js",
          chunkFileNames: "chunks/[name]-[hash].js",
          codeSplitting: { groups: [{ name: "cold", test: (id) => cold.has(id) }] },
        },
      },
    },
  });
}

/** Gathers what the files of {@link COLD} import by themselves, not on demand. */
function findClosure(cold: Set<string>): Plugin {
  return {
    name: "stint-cold",
    buildEnd() {
      for (const file of COLD) cold.add(join(ROOT, file));
      // A set grows while it is iterated: each new file is visited in its turn.
      for (const id of cold)
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) cold.add(imported);
    },
  };
}
