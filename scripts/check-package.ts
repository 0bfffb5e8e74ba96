// The package as a user gets it: packed from a clean checkout, installed in an empty folder,
// linted, imported, typed and called. Works in a temporary folder; the repository's own dist/ is
// not touched.
import {
  globSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { BUNDLED } from "./bundle.ts";
import { listDoors } from "./doors.ts";
import { call, installTarball, linkPackages, packCheckout } from "./pack.ts";

const ROOT = join(import.meta.dirname, "..");
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

/** The only files that may be published: no source, test, tool or Node binary finds a way in. */
const PUBLISHED = [
  /^package\.json$/,
  /^(README|ARCHITECTURE|CHANGELOG|CONTRIBUTING|GLOSSARY|SPEC|STYLE)\.md$/,
  /^LICENSE$/,
  /^bin\/stint\.cjs$/,
  /^docs\/(?:decisions\/)?[\w-]+\.md$/,
  /^examples\/[\w-]+\.ts$/,
  /^dist\/LICENSES\.md$/,
  /^dist\/(cli|index|worker|client|testing\/index|demo\/[\w-]+|chunks\/[\w-]+)\.js$/,
  /^dist\/([\w-]+\/)*[\w-]+\.d\.ts$/,
];

const PACKED_BYTES_MAX = 1700 * 2 ** 10;
const FILES_MAX = 450;

/** How far the size and the count that the papers state may be from those there are. */
const STATED_SHARE_MAX = 0.2;

/** What a user's installation gets: Stint, its one dependency, and what that one depends on. */
const INSTALLED = ["better-sqlite3", "node-addon-api", "stint"];

/** Ways in which a user's compiler may look for the types of a package. */
const RESOLUTIONS = [
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
] as const;

const faults: string[] = [];
const folder = mkdtempSync(join(tmpdir(), "stint-package-"));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) process.stderr.write(`package: ${fault}\n`);
if (faults.length > 0) process.exitCode = 1;

async function main(): Promise<void> {
  const consumer = join(folder, "consumer");
  const tarball = packCheckout(folder);
  checkContents(tarball);
  const installed = installTarball(tarball, consumer);
  process.stdout.write(`package: installed ${installed === "npm" ? "by npm" : "by hand"}\n`);

  if (installed === "npm") checkTree(consumer);

  const pkgDir = join(consumer, "node_modules/stint");
  checkPlaces(pkgDir);
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  faults.push(...messages.map((message) => formatMessage(message, pkg) ?? message.code));
  checkLicences(readFileSync(join(pkgDir, "dist/LICENSES.md"), "utf8"));
  tryDoors(consumer);
  tryProgram(consumer);
}

function checkContents(tarball: string): void {
  const listed = run("tar", ["-tzf", tarball]).trim().split("\n");
  const paths = listed.map((path) => path.replace(/^package\//, ""));
  for (const path of paths) {
    if (!PUBLISHED.some((pattern) => pattern.test(path)))
      faults.push(`${path} must not be published: tighten "files" in package.json`);
  }
  for (const pattern of PUBLISHED) {
    if (!paths.some((path) => pattern.test(path)))
      faults.push(`a file ${pattern.source} must be published, got none`);
  }
  const { size } = statSync(tarball);
  if (size > PACKED_BYTES_MAX)
    faults.push(`the tarball must be at most ${PACKED_BYTES_MAX} bytes, got ${size}`);
  if (paths.length > FILES_MAX)
    faults.push(`the tarball must hold at most ${FILES_MAX} files, got ${paths.length}`);
  checkStated({ fileCount: paths.length, packedBytes: size });
  process.stdout.write(`package: ${paths.length} files, ${Math.ceil(size / 1024)} KiB packed\n`);
}

/** What docs/operations.md says of the package's size is about what it is. */
function checkStated(found: { readonly fileCount: number; readonly packedBytes: number }): void {
  const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8").replaceAll(/\s+/g, " ");
  const [, files, kib] = /about ([\d,]+) files and ([\d,]+) KiB packed/.exec(page) ?? [];
  for (const [what, stated, real] of [
    ["files", files, found.fileCount],
    ["KiB packed", kib, found.packedBytes / 1024],
  ] as const) {
    const figure = Number(stated?.replaceAll(",", ""));
    if (!(Math.abs(figure - real) <= STATED_SHARE_MAX * real))
      faults.push(`docs/operations.md must say about ${Math.round(real)} ${what}, got ${stated}`);
  }
}

/** A user gets these packages and no others. */
function checkTree(consumer: string): void {
  const text = readFileSync(join(consumer, "node_modules/.package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, unknown>> };
  const names = Object.keys(packages).map((path) => path.replace(/^node_modules\//, ""));
  if (names.toSorted().join() !== INSTALLED.join())
    faults.push(`${INSTALLED.join(", ")} must be installed, got ${names.join(", ")}`);
}

/** Nothing that was built here says where. */
function checkPlaces(pkgDir: string): void {
  const places = [ROOT, realpathSync(join(ROOT, "node_modules")), homedir(), folder];
  // Found in a path from another folder, too: that goes up to the top, and down from there.
  const signs = [...places.map((place) => `${place}/`), "../node_modules/"];
  for (const file of globSync("dist/**/*.{js,ts,md}", { cwd: pkgDir })) {
    const text = readFileSync(join(pkgDir, file), "utf8");
    const sign = signs.find((one) => text.includes(one));
    if (sign !== undefined)
      faults.push(`${file} must name no place of this machine, got "${sign}"`);
  }
}

/** What is from others is there by its licence, and nothing is there that was not meant to be. */
function checkLicences(text: string): void {
  const sections = text.split(/^## /m).slice(1);
  const named = sections.map((section) => section.split(" - ", 1)[0] ?? "");
  if (named.toSorted().join() !== BUNDLED.toSorted().join())
    faults.push(`the build must hold the code of ${BUNDLED.join(", ")}, got ${named.join(", ")}`);
  for (const [index, section] of sections.entries()) {
    if (!/copyright|apache license/i.test(section))
      faults.push(`LICENSES.md must have the licence of ${named[index]}, got none`);
  }
}

/** Imports every door at run time and in the eyes of the compiler, as a user's project would. */
function tryDoors(consumer: string): void {
  const doors = listDoors();
  const lines = [
    ...doors.map(({ specifier }, index) => `import * as door${index} from "${specifier}";`),
    ...doors.map((_, index) => `console.log(Object.keys(door${index}).length > 0);`),
    'import { Fault } from "stint";',
    'import { Fault as OfTheWorker } from "stint/worker";',
    "console.log(Fault === OfTheWorker);",
  ];
  writeFileSync(join(consumer, "main.ts"), `${lines.join("\n")}\n`);
  const printed = run(process.execPath, ["main.ts"], consumer);
  if (printed.includes("false"))
    faults.push(`every door must export something, and one Fault, got:\n${printed}`);
  // A user's own; the declarations name what Node has.
  linkPackages(["@types/node"], consumer);
  for (const [module, resolution] of RESOLUTIONS) {
    const how = ["--module", module, "--moduleResolution", resolution, "--target", "es2022"];
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--types", "node"];
    run(process.execPath, [COMPILER, ...strict, ...how, "main.ts"], consumer);
  }
}

/** Calls the program as `npx` does: by a link to it, from another folder. */
function tryProgram(consumer: string): void {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const link = join(consumer, "node_modules/.bin/stint");
  const printed = run(process.execPath, [link, "--version"], consumer).trim();
  if (printed !== version) faults.push(`stint --version must print ${version}, got "${printed}"`);
}

/** Runs a program to its end; a failure becomes a fault with what it said, and "". */
function run(program: string, args: readonly string[], cwd = folder): string {
  const { status, said } = call(program, args, cwd);
  if (status === 0) return said;
  faults.push(`${[program, ...args].join(" ")} must succeed, got ${status}: ${said.trim()}`);
  return "";
}
