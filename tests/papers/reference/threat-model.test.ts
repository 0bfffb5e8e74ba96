// docs/threat-model.md against SPEC: what it says holds is pinned by a rule, and the rule is there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listIn, section } from "../table.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const PAGE = read("docs/threat-model.md");

/** Ids of rules and invariants in a text; words of code and numbers of releases are none. */
function idsIn(text: string): readonly string[] {
  const prose = text.replaceAll(/```.*?```/gs, "").replaceAll(/`[^`]*`/g, "");
  return prose.match(/\b(?:[A-Z]{2}|I)\d+\b/g) ?? [];
}

test("[PP40] every rule that the threat model names is one", () => {
  const rules = read("SPEC.md").matchAll(/^- \*\*([A-Z]{2}\d+)\*\* /gm);
  const invariants = read("ARCHITECTURE.md").matchAll(/^- \*\*(I\d+)\*\* /gm);
  const known = new Set([...rules, ...invariants].map(([, id]) => id));
  expect(known.size).toBeGreaterThan(400);
  const named = idsIn(PAGE);
  expect(named.length).toBeGreaterThan(80);
  expect(named.filter((id) => !known.has(id))).toEqual([]);
});

test("[PP40] every attack that is said to be held off names the rule that holds", () => {
  const headings = [
    "A careless worker",
    "What holds on the upper rungs",
    "Another user of the host",
  ];
  const said = headings
    .flatMap((heading) => listIn(section(PAGE, heading)))
    .map(({ cells }) => cells.join(" "));
  expect(said.length).toBeGreaterThan(30);
  const unpinned = said.filter((row) => idsIn(row).length === 0);
  // What nothing of Stint's holds off says so, or leaves it to the kernel.
  expect(unpinned.filter((row) => !/\*\*not bounded\*\*|the kernel's rules/.test(row))).toEqual([]);
});

test("[PP40] every adversary has a section", () => {
  const anchors = [...PAGE.matchAll(/^##+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll("'", "").replaceAll(" ", "-"),
  );
  const rows = listIn(section(PAGE, "Who attacks"));
  const named = rows.map(({ cells }) => /\(#([a-z-]+)\)/.exec(cells.join(": "))?.[1]);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((anchor = "") => !anchors.includes(anchor))).toEqual([]);
});
