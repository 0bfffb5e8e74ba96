// What is installed is what was meant: exact versions, hashes for all, and no registry named.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

type Manifest = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
type Locked = {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
} & Manifest;

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8"));
}

const lock = readJson("package-lock.json") as { readonly packages: Record<string, Locked> };

test.each(["package.json", "tooling/package.json"])("%s pins exact versions", (path) => {
  const manifest = readJson(path) as Manifest;
  const ranges = ["dependencies", "devDependencies", "optionalDependencies"]
    .flatMap((field) => Object.entries(manifest[field] ?? {}))
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(ranges).toEqual([]);
});

test("the lockfile names no address", () => {
  expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toMatch(/"resolved": "\w+:/);
});

test("every locked package has a hash, but our own", () => {
  const unhashed = Object.entries(lock.packages)
    .filter(([path, entry]) => path.startsWith("node_modules/") && entry.link !== true)
    .filter(([, entry]) => !entry.integrity?.startsWith("sha512-"));
  expect(unhashed).toEqual([]);
});

test("what a locked package may need on another platform is locked too", () => {
  const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry["dependencies"], ...entry["optionalDependencies"] })
      .filter((name) => !findLocked(path, name))
      .map((name) => `${path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

/** Looks a package up as Node does: beside the one that needs it, then in each folder above. */
function findLocked(from: string, name: string): boolean {
  const parts = from.split("/node_modules/");
  const above = parts.map((_, index) =>
    parts.slice(0, parts.length - index).join("/node_modules/"),
  );
  const folders = [...above.map((path) => `${path}/node_modules/`), "node_modules/"];
  return folders.some((folder) => `${folder}${name}` in lock.packages);
}

test("the Node of the repository is one version on every platform", () => {
  const { optionalDependencies } = readJson("tooling/package.json") as Manifest;
  expect(new Set(Object.values(optionalDependencies ?? {}))).toEqual(new Set(["24.21.0"]));
  for (const name of Object.keys(optionalDependencies ?? {})) {
    expect(lock.packages[`node_modules/${name}`]).toMatchObject({
      version: "24.21.0",
      optional: true,
    });
  }
  expect(process.version).toBe("v24.21.0");
});

test("[PK5] a user's installation gets the native module, and nothing else but the package", () => {
  const manifest = readJson("package.json") as Manifest;
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  expect(Object.keys(dependencies ?? {})).toEqual(["better-sqlite3"]);
  expect(optionalDependencies ?? {}).toEqual({});
  // Installed by those alone who run containers, in the version that is tried here.
  expect(peerDependencies).toEqual({ dockerode: devDependencies?.["dockerode"] });
  expect(manifest["peerDependenciesMeta"]).toEqual({ dockerode: { optional: true } });
});

test("no locked package runs a script when it is installed", () => {
  const scripted = Object.entries(lock.packages).filter(([, entry]) => entry["hasInstallScript"]);
  expect(scripted).toEqual([]);
});

// npm takes a binding.gyp for a script unless the lockfile says otherwise, and leaves out what the
// package itself says of it. It would need Python, make and Node's headers. The scripts of ssh2,
// cpu-features and protobufjs, which dockerode brings, run where the lockfile has their
// `hasInstallScript`: npm install writes that line, and it is to be taken out again.
test.each(["better-sqlite3", "cpu-features"])(
  "npm ci does not compile %s: the lockfile says so, in a line that npm install drops",
  (name) => {
    const native = lock.packages[`node_modules/${name}`];
    expect(native, `add "gypfile": false to ${name} in package-lock.json`).toHaveProperty(
      "gypfile",
      false,
    );
  },
);
