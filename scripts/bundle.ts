import { readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build, type Plugin, type Rolldown } from "vite";
import { PROGRAMS } from "../src/demo/task.ts";
import { listDoors } from "./doors.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * What each file of `dist/` that is called by its name begins with: the program, the doors that
 * `exports` of package.json lead to, and the programs that the demo starts.
 */
const ENTRIES: Readonly<Record<string, string>> = {
  cli: "src/cli/main.ts",
  ...Object.fromEntries(listDoors().map(({ name }) => [name, `src/${name}.ts`])),
  ...Object.fromEntries(
    Object.keys(PROGRAMS).map((role) => [`demo/${role}`, `src/demo/${role}.ts`]),
  ),
};

/**
 * What is not put into a file, but lies beside the package: native modules, and what only those
 * install who want it.
 */
const EXTERNAL = ["better-sqlite3", "dockerode"];

/** Whose code is in the bundle: what src/ imports, and what that needs. */
export const BUNDLED: readonly string[] = [
  "@asteasolutions/zod-to-openapi",
  "@hono/node-server",
  "@hono/zod-openapi",
  "@hono/zod-validator",
  "@marcbachmann/cel-js",
  "@noble/hashes",
  "@opentelemetry/api",
  "@pinojs/redact",
  "atomic-sleep",
  "bintrees",
  "canonicalize",
  "commander",
  "hono",
  "on-exit-leak-free",
  "pino",
  "pino-std-serializers",
  "prom-client",
  "quick-format-unescaped",
  "safe-stable-stringify",
  "smol-toml",
  "sonic-boom",
  "tdigest",
  "thread-stream",
  "zod",
];

/**
 * Who ships no text of his licence, and which package of the same authors has it. All are MIT, as
 * their package.json says.
 */
const LICENCE_OF: Readonly<Record<string, string>> = {
  "@hono/zod-openapi": "hono",
  "@hono/zod-validator": "hono",
};

/**
 * What short calls load, which must start fast: every call; then those that only look; then those
 * that give one command about ground, which ask a supervisor or decide it themselves. What each of
 * them imports is a few files, read at once, for each file takes its time.
 */
const COLD: Readonly<Record<string, readonly string[]>> = {
  cold: ["src/cli/main.ts"],
  looking: ["src/cli/commands/workers.ts", "src/compose/reading.ts"],
  leasing: [
    "src/cli/commands/lease-acquire.ts",
    "src/cli/commands/lease-keep.ts",
    "src/cli/commands/lease-check.ts",
    "src/compose/leasing.ts",
  ],
  asking: ["src/client/supervisor.ts"],
  deciding: ["src/compose/deciding.ts"],
};

/** What is loaded by calls alone that have loaded all of `leasing`. */
const AFTER_LEASING: readonly string[] = ["asking", "deciding"];

/** The doors that must not load what is another's alone; others may load a little more. */
const NARROW: readonly string[] = ["index", "worker", "client"];

/**
 * Bundles all of Stint into `outDir`, third parties' code included: a file for each of the entries,
 * in `chunks/` what they share and what is loaded on demand, and in `LICENSES.md` the licences of
 * what is from others.
 *
 * It is one build, so that all doors and the program have the same classes: a Fault that the
 * worker's door throws is a Fault of the library's.
 */
export async function bundle(outDir: string): Promise<void> {
  const parts = new Map<string, string>();
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "warn",
    plugins: [divide(parts), takeBuiltins()],
    // The files name what they were made of: as it lies here, not where a link leads to.
    resolve: { preserveSymlinks: true },
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: "node22",
      // A stack trace is to be read by people.
      minify: false,
      license: { fileName: "LICENSES.md" },
      rolldownOptions: {
        input: Object.fromEntries(
          Object.entries(ENTRIES).map(([name, file]) => [name, join(ROOT, file)]),
        ),
        external: [...builtinModules, /^node:/, ...EXTERNAL],
        // One verb may load at once what another leaves for later.
        checks: { ineffectiveDynamicImport: false },
        output: {
          entryFileNames: "[name].js",
          chunkFileNames: "chunks/[name]-[hash].js",
          codeSplitting: { groups: groupsOf(parts) },
        },
      },
    },
  });
  completeLicences(join(outDir, "LICENSES.md"));
}

/** Adds the texts that packages leave out. Throws where the build has no section of one. */
function completeLicences(file: string): void {
  let text = readFileSync(file, "utf8");
  for (const [name, other] of Object.entries(LICENCE_OF)) {
    const heading = text.split("\n").find((line) => line.startsWith(`## ${name} - `));
    if (heading === undefined)
      throw new Error(`${file} must have a section of ${name}, it has none`);
    const licence = readFileSync(join(ROOT, "node_modules", other, "LICENSE"), "utf8");
    text = text.replace(heading, () => `${heading}\n\n${licence.trim()}`);
  }
  writeFileSync(file, text);
}

/**
 * Gathers what the files of {@link COLD} import by themselves, not on demand, as chunks by which
 * other entries need it as well: no door loads a piece of the command line with its own.
 */
function divide(parts: Map<string, string>): Plugin {
  return {
    name: "stint-divide",
    buildEnd() {
      const closureOf = (files: readonly string[]): Set<string> => {
        const closure = new Set(files.map((file) => join(ROOT, file)));
        // A set grows while it is iterated: each new file is visited in its turn.
        for (const id of closure)
          for (const imported of this.getModuleInfo(id)?.importedIds ?? []) closure.add(imported);
        return closure;
      };
      const doors = NARROW.map((name) => [name, closureOf([ENTRIES[name] ?? ""])] as const);
      const { cold, ...calls } = COLD;
      const always = closureOf(cold ?? []);
      const some = Object.entries(calls).map(([name, files]) => [name, closureOf(files)] as const);
      for (const id of closureOf(Object.values(COLD).flat())) {
        if (id === join(ROOT, ENTRIES["cli"] ?? "")) continue;
        const callers = always.has(id) ? [["cold", always] as const] : some;
        const names = [...callers, ...doors].filter(([, closure]) => closure.has(id));
        // Who asks or decides has loaded what it takes to give a command.
        const isGiven = names.some(([name]) => name === "leasing");
        const needed = names.filter(([name]) => !isGiven || !AFTER_LEASING.includes(name));
        parts.set(id, needed.map(([name]) => name).join("-"));
      }
    },
  };
}

/**
 * Has the files of what is {@link COLD} take Node's builtins by a call. An import makes a module of
 * all that a builtin has, and that loads for `node:fs` promises and streams, and for `node:http`
 * WebSockets: a short call would spend half of what a Node takes that does nothing.
 *
 * A Node that has no such call is too old for Stint: there all names are undefined, and what is
 * loaded first ends with a sentence about it.
 */
function takeBuiltins(): Plugin {
  const cold = new RegExp(`^chunks/(${Object.keys(COLD).join("|")})-`);
  const imports = /^import (?:(\w+), )?(?:\{ (.+) \}|(\w+)) from "(node:[\w/]+)";$/gm;
  return {
    name: "stint-take-builtins",
    renderChunk(code, { fileName }) {
      if (!cold.test(fileName)) return null;
      const taken = code.replaceAll(imports, (...match: readonly (string | undefined)[]) => {
        const [, beside, names, alone, builtin = ""] = match;
        const bound = names === undefined ? undefined : `{ ${names.replaceAll(" as ", ": ")} }`;
        return [beside, bound, alone]
          .filter((binding) => binding !== undefined)
          .map((name) => `const ${name} = process.getBuiltinModule?.("${builtin}") ?? {};`)
          .join("\n");
      });
      return { code: taken };
    },
  };
}

/**
 * What is shared by most is taken first: it needs nothing that is shared by fewer, and a group
 * takes along what its files need. What is loaded after `leasing` comes after what is as widely
 * shared: it needs that, and must not take it.
 */
function groupsOf(parts: ReadonlyMap<string, string>): Rolldown.CodeSplittingGroup[] {
  const countOf = (part: string): number => {
    const [first = "", ...others] = part.split("-");
    // What every call needs counts as shared by all of them.
    const sharing = 1 + others.length + (first === "cold" ? Object.keys(COLD).length : 0);
    return 2 * sharing + (AFTER_LEASING.includes(first) ? 0 : 1);
  };
  const most = countOf(["cold", ...NARROW].join("-"));
  // What belongs where is not known before all files are read.
  return Array.from({ length: most + 1 }, (_, count) => ({
    debugName: `shared by ${count}`,
    priority: count,
    name: (id: string) => {
      const part = parts.get(id);
      return part !== undefined && countOf(part) === count ? part : null;
    },
  }));
}
