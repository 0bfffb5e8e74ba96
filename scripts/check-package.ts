// The package as a user gets it: built, packed, linted, unpacked elsewhere, imported and typed.
// Works on a copy in a temporary folder; the repository's own dist/ is not touched.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const ROOT = join(import.meta.dirname, "..");
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

/** The only files that may be published: no tool, no Node binary, no test finds a way in. */
const PUBLISHED = [
  /^package\.json$/,
  /^(README|ARCHITECTURE|CHANGELOG|GLOSSARY|SPEC)\.md$/,
  /^LICENSE$/,
  /^bin\/stint\.cjs$/,
  /^docs\/[\w-]+\.md$/,
  /^src\/.*(?<!\.test)\.ts$/,
  /^dist\/.*(?<!\.test)\.(js|d\.ts)(\.map)?$/,
];
const PACKED_BYTES_MAX = 2 * 2 ** 20;

type Door = { readonly types: string; readonly default: string; readonly "stint-source": string };
type PackageJson = {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Door | string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
};
type Packed = {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
};

const faults: string[] = [];
const folder = mkdtempSync(join(tmpdir(), "stint-package-"));
try {
  await main(join(folder, "package"), join(folder, "consumer"));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) process.stderr.write(`package: ${fault}\n`);
if (faults.length > 0) process.exitCode = 1;

async function main(stage: string, consumer: string): Promise<void> {
  const manifest = readManifest();
  const doors = Object.entries(manifest.exports).filter(([, door]) => typeof door !== "string");
  for (const [name, door] of doors as [string, Door][]) {
    if (existsSync(join(ROOT, door["stint-source"]))) continue;
    faults.push(`the door "${name}" must exist: ${door["stint-source"]}`);
  }
  if (faults.length > 0) return;

  mkdirSync(stage);
  for (const name of ["package.json", "README.md", "LICENSE", ...manifest.files]) {
    if (name !== "dist" && existsSync(join(ROOT, name)))
      cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  }
  run(process.execPath, [join(ROOT, "scripts/build.ts"), join(stage, "dist")]);
  if (faults.length > 0) return;

  const { messages, pkg } = await publint({ pkgDir: stage, strict: true });
  faults.push(...messages.map((message) => formatMessage(message, pkg) ?? message.code));

  const packed = pack(stage);
  if (packed === undefined) return;
  checkContents(packed);
  unpack(join(stage, packed.filename), consumer, manifest);
  tryDoors(
    consumer,
    doors.map(([name]) => name.replace(/^\./, manifest.name)),
  );
  tryProgram(join(consumer, "node_modules", manifest.name), manifest);
}

function readManifest(): PackageJson {
  // Our own file, kept in form by npm and the tooling tests.
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as PackageJson;
}

function pack(stage: string): Packed | undefined {
  const npm = process.env["npm_execpath"];
  const args = ["pack", "--json", "--ignore-scripts"];
  const output =
    npm === undefined ? run("npm", args, stage) : run(process.execPath, [npm, ...args], stage);
  if (output === "") return undefined;
  return (JSON.parse(output) as Packed[])[0];
}

function checkContents(packed: Packed): void {
  for (const { path } of packed.files) {
    if (!PUBLISHED.some((pattern) => pattern.test(path)))
      faults.push(`${path} must not be published: tighten "files" in package.json`);
  }
  for (const name of ["README.md", "LICENSE"]) {
    if (!packed.files.some(({ path }) => path === name))
      faults.push(`${name} must be published: it is missing from the tarball`);
  }
  if (packed.size > PACKED_BYTES_MAX)
    faults.push(`the tarball must be at most ${PACKED_BYTES_MAX} bytes, got ${packed.size}`);
  process.stdout.write(
    `package: ${packed.files.length} files, ${Math.ceil(packed.size / 1024)} KiB packed\n`,
  );
}

/** Installs the tarball by hand: dependencies are links, so that nothing is fetched. */
function unpack(tarball: string, consumer: string, manifest: PackageJson): void {
  const target = join(consumer, "node_modules", manifest.name);
  mkdirSync(target, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    const link = join(consumer, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), link);
  }
}

/** Imports every door at run time and in the eyes of the compiler, as a user's project would. */
function tryDoors(consumer: string, specifiers: readonly string[]): void {
  const lines = specifiers.map((name, index) => `import * as door${index} from "${name}";`);
  const uses = specifiers.map((_, index) => `console.log(Object.keys(door${index}).length > 0);`);
  writeFileSync(join(consumer, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(consumer, "main.ts"), [...lines, ...uses, ""].join("\n"));
  const printed = run(process.execPath, ["main.ts"], consumer);
  if (printed.includes("false")) faults.push(`every door must export something, got:\n${printed}`);
  const strict = ["--strict", "--noEmit", "--module", "nodenext", "--types", "node"];
  run(process.execPath, [COMPILER, ...strict, "main.ts"], consumer);
}

/** Calls the program as `npx` does: by a link to it, from another folder. */
function tryProgram(installed: string, { name, version, bin }: PackageJson): void {
  const link = join(installed, "..", ".bin", name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(installed, bin[name] ?? ""), link);
  const printed = run(process.execPath, [link, "--version"], dirname(link)).trim();
  if (printed !== version) faults.push(`stint --version must print ${version}, got "${printed}"`);
}

/** Runs a program to its end; a failure becomes a fault with what it printed, and "". */
function run(program: string, args: readonly string[], cwd = ROOT): string {
  const done = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (done.status === 0) return done.stdout;
  const why = done.error?.message ?? `${done.stdout}${done.stderr}`.trim();
  faults.push(`${[program, ...args].join(" ")} must succeed, got ${done.status}: ${why}`);
  return "";
}
