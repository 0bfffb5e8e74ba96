import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** What a checkout has not until something was run in it. */
const NOT_CHECKED_OUT = new Set(["node_modules", "dist", "coverage", ".git", ".stint"]);

/** How long npm may take for one call, ms; nothing is fetched. */
const NPM_MS_MAX = 180_000;

/** What a call of a program came to. */
export interface Done {
  readonly status: number | null;
  /** What it said, both streams. */
  readonly said: string;
}

/**
 * Packs a copy of this checkout as `npm pack` does where nothing was built, and answers the path
 * of the tarball. What is installed here is linked into the copy. Throws with npm's words when it
 * fails.
 */
export function packCheckout(folder: string): string {
  const checkout = join(folder, "checkout");
  cpSync(ROOT, checkout, {
    recursive: true,
    filter: (path) => !NOT_CHECKED_OUT.has(relative(ROOT, path)) && !path.endsWith(".tgz"),
  });
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  demand(npm(["pack", "--pack-destination", folder], checkout), "npm pack");
  const [tarball, other] = globSync("*.tgz", { cwd: folder });
  if (tarball === undefined || other !== undefined)
    throw new Error(`npm pack must make one tarball, got ${tarball} and ${other}`);
  return join(folder, tarball);
}

/** How a package came to be installed. */
export type Installation = "npm" | "by hand";

/**
 * Installs a tarball into an empty folder, as a project of modules: by npm, from its cache or where
 * that lacks a dependency, from the registry; without either by hand, with a link to each that is
 * installed here.
 */
export function installTarball(tarball: string, consumer: string): Installation {
  mkdirSync(consumer, { recursive: true });
  writeFileSync(join(consumer, "package.json"), '{ "private": true, "type": "module" }\n');
  for (const source of ["--offline", "--fetch-retries=0"])
    if (npm(["install", source, tarball], consumer).status === 0) return "npm";
  const packages = join(consumer, "node_modules");
  const target = join(packages, "stint");
  mkdirSync(join(packages, ".bin"), { recursive: true });
  mkdirSync(target, { recursive: true });
  demand(call("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"], consumer), "tar");
  symlinkSync("../stint/bin/stint.cjs", join(packages, ".bin/stint"));
  // The tarball's own, which the check looks at.
  const manifest = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  linkPackages(Object.keys(manifest.dependencies), consumer);
  return "by hand";
}

/** Links packages that are installed here into a project, as if they were installed there. */
export function linkPackages(names: readonly string[], consumer: string): void {
  for (const name of names) {
    const link = join(consumer, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), link);
  }
}

function npm(args: readonly string[], cwd: string): Done {
  const own = process.env["npm_execpath"];
  return own === undefined ? call("npm", args, cwd) : call(process.execPath, [own, ...args], cwd);
}

/** Runs a program to its end, without what an npm that runs this has put into the environment. */
export function call(program: string, args: readonly string[], cwd: string): Done {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/.test(name));
  const done = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: Object.fromEntries(own),
    timeout: NPM_MS_MAX,
  });
  return { status: done.status, said: `${done.stdout}${done.stderr}${done.error?.message ?? ""}` };
}

function demand({ status, said }: Done, what: string): void {
  if (status !== 0) throw new Error(`${what} must succeed, got exit ${status}: ${said.trim()}`);
}
