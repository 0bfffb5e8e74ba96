import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { MAY_IMPORT } from "../tidy/imports.ts";
import { listSources, parse, readTree, resolveFrom } from "../tidy/tree.ts";

const TREE = readTree(join(import.meta.dirname, "../.."));
const PAPER = TREE.get("ARCHITECTURE.md") ?? "";

/** The files of `src/` itself are what a program imports; the paper calls them so. */
const nameOf = (room: string): string => (room === "" ? "doors" : room);

/** The lines of the block that stands after a mark. */
function drawn(mark: string): readonly string[] {
  const after = PAPER.slice(PAPER.indexOf(`<!-- ${mark} -->`));
  return (/^```text\n(.*?)^```$/ms.exec(after)?.[1] ?? "").trimEnd().split("\n");
}

function arrowsDrawn(): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    drawn("arrows").map((line) => {
      const [from = "", to = ""] = line.split("→").map((half) => half.trim());
      return [from, to.split(" ").filter(Boolean).toSorted()];
    }),
  );
}

/** Floors by room. What stands after a colon says what the room is. */
function floorsDrawn(): ReadonlyMap<string, number> {
  return new Map(
    drawn("rooms").flatMap((line) => {
      const [, floor, rooms = ""] = /^ ?(\d+) +([^:]*)/.exec(line) ?? [];
      return rooms
        .split(/\s+/)
        .filter(Boolean)
        .map((room) => [room, Number(floor)] as const);
    }),
  );
}

test("the arrows that ARCHITECTURE draws are those that are kept", () => {
  const kept = Object.entries(MAY_IMPORT).map(
    ([from, to]) => [nameOf(from), to.map(nameOf).toSorted()] as const,
  );
  expect(arrowsDrawn()).toEqual(Object.fromEntries(kept));
});

test("every arrow that is kept is used by some import", () => {
  const used = new Set(
    listSources(TREE, "src").flatMap((path) =>
      parse(TREE, path)
        .imports.filter(({ specifier }) => specifier.startsWith("."))
        .map(({ specifier }) => `${roomOf(path)} → ${roomOf(resolveFrom(path, specifier))}`),
    ),
  );
  const kept = Object.entries(MAY_IMPORT).flatMap(([from, to]) =>
    to.map((one) => `${nameOf(from)} → ${nameOf(one)}`),
  );
  expect(kept.filter((arrow) => !used.has(arrow))).toEqual([]);
});

function roomOf(path: string): string {
  const [, room = "", ...rest] = path.split("/");
  return rest.length === 0 ? "doors" : room;
}

test("every room stands on a floor above all that it imports", () => {
  const floors = floorsDrawn();
  expect([...floors.keys()].toSorted()).toEqual(Object.keys(MAY_IMPORT).map(nameOf).toSorted());
  const bent = Object.entries(arrowsDrawn()).flatMap(([from, to]) =>
    to.filter((one) => !(Number(floors.get(one)) < Number(floors.get(from)))),
  );
  expect(bent).toEqual([]);
});

test("every path that ARCHITECTURE names exists", () => {
  const named = [...PAPER.matchAll(/`((?:src|tests|sim|bench|scripts|examples)\/[\w./-]*)`/g)];
  const paths = named.map(([, path = ""]) => posix.normalize(path).replace(/\/$/, ""));
  const files = [...TREE.keys()];
  const missing = paths.filter(
    (path) => !TREE.has(path) && !files.some((file) => file.startsWith(`${path}/`)),
  );
  expect(paths.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});
