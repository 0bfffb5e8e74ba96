import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, assert, constantFrom, property, record } from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PathFollower } from "../../../src/system/ground/real-path.ts";
import { needsProgram } from "../../support/require-all.ts";

let base = "";

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-path-")));
  mkdirSync(join(base, "a/b/c"), { recursive: true });
  mkdirSync(join(base, "d"));
  writeFileSync(join(base, "d/file"), "");
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

function follow(path: string): string | undefined {
  const found = new PathFollower().follow(`${base}/${path}`);
  return found?.startsWith(`${base}/`) === true ? found.slice(base.length + 1) : found;
}

test.each([
  ["a/b", "a/b"],
  ["a//b/./c/", "a/b/c"],
  ["a/b/../../d/file", "d/file"],
  ["new/folder/file", "new/folder/file"],
  ["new/../d/file", "d/file"],
  ["d/file/below", "d/file/below"],
])("[WP10] %s leads to %s", (path, end) => {
  expect(follow(path)).toBe(end);
});

test.each([
  ["to a folder", "b", "in/c", "a/b/c"],
  ["to a folder, and what is above it", "b", "in/..", "a"],
  ["from above", "../d", "in/file", "d/file"],
  ["to what is not there", "b/new", "in", "a/b/new"],
  ["below what is not there", "new/deep", "in/x", "a/new/deep/x"],
  ["to itself", "in", "in", undefined],
  ["to itself, by another", "../a/in", "in", undefined],
  ["over a file", "../d/file", "in/x", "d/file/x"],
])("[WP10] a link %s is followed as the system does", (...row) => {
  const [, target, path, end] = row;
  symlinkSync(target, join(base, "a/in"));
  expect(follow(`a/${path}`)).toBe(end);
});

test("[WP10] a link may be absolute, and lead on", () => {
  symlinkSync(join(base, "d"), join(base, "a/abs"));
  symlinkSync("a/abs/../d/file", join(base, "on"));
  expect(follow("on")).toBe("d/file");
  symlinkSync("/", join(base, "root"));
  expect(new PathFollower().follow(`${base}/root/..//etc`)).toBe("/etc");
});

test("[WP11] links in a row are followed 40 times, as the system does", () => {
  symlinkSync("d/file", join(base, "l1"));
  for (let count = 2; count <= 41; count += 1)
    symlinkSync(`l${count - 1}`, join(base, `l${count}`));
  expect(follow("l40")).toBe("d/file");
  expect(realpathSync.native(join(base, "l40"))).toBe(join(base, "d/file"));
  expect(follow("l41")).toBeUndefined();
  expect(() => realpathSync.native(join(base, "l41"))).toThrow("ELOOP");
});

test("[WP11] a path of more names than are followed leads nowhere", () => {
  const depth = base.split("/").length - 1;
  const path = (count: number): string => "a/../".repeat(count);
  const most = Math.floor((1_024 - depth) / 2);
  expect(follow(path(most))).toBe(base);
  expect(follow(path(most + 1))).toBeUndefined();
  // Few links, each of many names: what one path may cost is bounded whoever made them.
  symlinkSync("a/../".repeat(300), join(base, "bomb"));
  symlinkSync("bomb/bomb/bomb/bomb", join(base, "bombs"));
  expect(follow("bombs")).toBeUndefined();
});

test.each(["/proc/self/root/etc", "/proc/self/cwd", "/proc/1/root", "/dev/fd/3", "/proc"])(
  "[WP11] nothing is said of %s, which leads everybody somewhere else",
  (path) => {
    expect(new PathFollower().follow(path)).toBeUndefined();
    symlinkSync(path, join(base, "out"));
    expect(follow("out/x")).toBeUndefined();
  },
);

test("[WP11] a name that is no text leads nowhere, typed or in a link", () => {
  for (const name of ["a/\ufffd", "a/\ud800", "a\0b"]) expect(follow(name)).toBeUndefined();
  symlinkSync(Buffer.concat([Buffer.from("d/"), Buffer.from([0xff])]), join(base, "bytes"));
  expect(follow("bytes")).toBeUndefined();
  expect(follow("a/new line\n\u2028 é😀")).toBe("a/new line\n\u2028 é😀");
});

test("[WP11] a name that no file can have leads nowhere", () => {
  expect(follow("x".repeat(255))).toBe("x".repeat(255));
  expect(follow("x".repeat(256))).toBeUndefined();
});

test("[WP11] what lies in a folder that may not be looked into leads nowhere", () => {
  expect(follow("a/b")).toBe("a/b");
  const isRoot = process.geteuid?.() === 0;
  // Root may look into every folder: it is somebody else for the moment.
  if (isRoot) process.seteuid?.(65_534);
  else chmodSync(base, 0);
  try {
    expect(follow("a/b")).toBeUndefined();
    expect(follow("missing")).toBeUndefined();
  } finally {
    if (isRoot) process.seteuid?.(0);
    else chmodSync(base, 0o700);
  }
});

test("[WP10] paths are followed as realpath does, over links of every kind", () => {
  needsProgram("realpath");
  const texts = ["k", "a", "..", "../a/b", "../d", "none/x", "./d/file", "k/..", "."];
  const step = constantFrom("a", "b", "c", "d", "k", "file", "..", ".", "none");
  const links = record({ k: constantFrom(...texts), ak: constantFrom(...texts), dk: step });
  assert(
    property(
      links,
      array(array(step, { minLength: 1, maxLength: 6 }), { minLength: 1 }),
      (to, all) => {
        for (const [name, target] of [
          ["k", to.k],
          ["a/k", to.ak],
          ["d/k", to.dk],
        ] as const) {
          rmSync(join(base, name), { force: true });
          symlinkSync(target, join(base, name));
        }
        // Coreutils may go in a circle for ever where the system gives up.
        const isRound = ["k", "a/k", "d/k"].some(
          (name) => nativeOf(`${base}/${name}`) === undefined,
        );
        const paths = all.map((steps) => `${base}/${steps.join("/")}`);
        const follower = new PathFollower();
        for (const path of paths) {
          if (isRound && nativeOf(path) === null) continue;
          const real = nativeOf(path) === null ? missingOf(path) : nativeOf(path);
          expect([path, follower.follow(path)]).toEqual([path, real]);
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** As the system says: undefined for a circle, null where something is missing. */
function nativeOf(path: string): string | undefined | null {
  try {
    return realpathSync.native(path);
  } catch (error) {
    return (error as { readonly code?: string }).code === "ELOOP" ? undefined : null;
  }
}

/** As coreutils say where something is missing. */
function missingOf(path: string): string {
  return execFileSync("realpath", ["-m", "--", path], { timeout: 5_000 }).toString().slice(0, -1);
}
