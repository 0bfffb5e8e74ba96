import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { parseSync } from "vite";

const ROOT = join(import.meta.dirname, "..");

/**
 * Writes the declarations into `outDir` that the doors lead to, and no other: what a user's
 * compiler reads is what a user's program may name. Throws when the source has an error of types,
 * or when a declaration names a package: a user has none of those whose code is bundled.
 */
export function declare(outDir: string, doors: readonly string[]): void {
  const all = mkdtempSync(join(tmpdir(), "stint-declarations-"));
  try {
    compile(all);
    const reached = new Set(doors);
    // A set grows while it is iterated: each new file is visited in its turn.
    for (const file of reached) {
      const { text, imported } = readDeclaration(all, file);
      for (const other of imported) reached.add(other);
      mkdirSync(dirname(join(outDir, file)), { recursive: true });
      writeFileSync(join(outDir, file), text);
    }
  } finally {
    rmSync(all, { recursive: true, force: true });
  }
}

function compile(outDir: string): void {
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", outDir];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`tsc must find no error, got exit ${status}`);
}

/** A declaration file as it is published, and the files of ours that it names. */
interface Declaration {
  readonly text: string;
  readonly imported: readonly string[];
}

function readDeclaration(folder: string, file: string): Declaration {
  const source = readFileSync(join(folder, file), "utf8");
  const imported: string[] = [];
  let text = "";
  let end = 0;
  for (const { value, start, end: after } of specifiersOf(file, source)) {
    if (!value.startsWith(".")) {
      if (value.startsWith("node:")) continue;
      throw new Error(`${file} must name no package that a user does not have, got "${value}"`);
    }
    const built = value.replace(/\.ts$/, ".js");
    imported.push(posix.join(posix.dirname(file), built.replace(/\.js$/, ".d.ts")));
    text += `${source.slice(end, start)}${JSON.stringify(built)}`;
    end = after;
  }
  return { text: text + source.slice(end), imported };
}

interface Specifier {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** What a declaration imports or exports from elsewhere, in the order of the text. */
function specifiersOf(file: string, source: string): readonly Specifier[] {
  const { program, errors } = parseSync(file, source, { lang: "dts" });
  if (errors.length > 0) throw new Error(`${file} must parse, got ${errors[0]?.message}`);
  const found: Specifier[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, source: from } = node as { type?: unknown; source?: Specifier | null };
    const isNaming = typeof type === "string" && /^(Import|Export|TSImport)/.test(type);
    if (isNaming && typeof from?.value === "string") found.push(from);
    for (const child of Object.values(node)) visit(child);
  };
  visit(program);
  return found.toSorted((one, other) => one.start - other.start);
}
