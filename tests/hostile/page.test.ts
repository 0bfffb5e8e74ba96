import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { section, tableIn } from "../papers/table.ts";
import { PROGRAMS } from "./arena.ts";
import { CASES } from "./cases.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/sandboxes.md"), "utf8");

const names = CASES.map(({ name }) => name);

test("[HF5] docs/sandboxes.md is what the cases say: `npm run docs` writes it", () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const done = spawnSync(process.execPath, [join(ROOT, "scripts/docs.ts"), folder]);
  expect({ status: done.status, stderr: String(done.stderr) }).toEqual({ status: 0, stderr: "" });
  expect(PAGE).toBe(readFileSync(join(folder, "sandboxes.md"), "utf8"));
});

test("[HF5] every hostile program is a case, and every case a row", () => {
  const programs = readdirSync(PROGRAMS).map((name) => name.replace(/\.pl$/, ""));
  expect(programs.filter((name) => name !== "hostile").toSorted()).toEqual(names.toSorted());
  const rows = ["Running on", "Taking more"].flatMap((heading) =>
    tableIn(section(PAGE, heading)).map(({ first }) => first),
  );
  expect(rows.toSorted()).toEqual(names.toSorted());
});

test("[HF5] the threat model cites rows that there are", () => {
  const model = readFileSync(join(ROOT, "docs/threat-model.md"), "utf8");
  const cited = [...model.matchAll(/\[([\w-]+)\]\(sandboxes\.md#[\w-]+\)/g)].map(
    ([, name]) => name,
  );
  expect(new Set(cited).size).toBe(names.length);
  expect(cited.filter((name = "") => !names.includes(name))).toEqual([]);
});
