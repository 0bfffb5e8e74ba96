import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exportLines, importFile } from "../../src/journal/jsonl.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { GENESIS, type Journal } from "../../src/ports/journal.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { appendAll, appendNotes, noteDraft } from "../../src/testing/journal/case.ts";

const COUNT = 5;
const clock = new FakeClock();
let folder = "";
let path = "";
let lines: readonly string[] = [];
let original: Journal;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stint-export-"));
  path = join(folder, "export.jsonl");
  original = memoryJournal({ clock });
  await appendNotes(original, COUNT - 1);
  await appendAll(original, [noteDraft("c-last", "ünïcödé 😀 \u2028 \\n")]);
  lines = await exportOf(original);
});

afterAll(() => rmSync(folder, { recursive: true }));

async function exportOf(journal: Journal): Promise<string[]> {
  const found: string[] = [];
  for await (const line of exportLines(journal)) found.push(line);
  return found;
}

/** Writes an export of this text and imports it into a new journal. */
async function importText(text: string, acceptIncomplete = false) {
  writeFileSync(path, text);
  const journal = memoryJournal({ clock });
  const imported = importFile(journal, { path, acceptIncomplete });
  // Awaited by the caller; here only so that the journal's end can be looked at either way.
  await imported.catch(() => undefined);
  return { imported, journal };
}

test("[JN30] an export imports with the same bytes, also into SQLite", async () => {
  writeFileSync(path, lines.join(""));
  const journal = await openSqliteJournal({ folder: join(folder, "state"), clock });
  expect(await importFile(journal, { path })).toEqual({ head: await original.head() });
  expect(await journal.readStored(0, 10)).toEqual(await original.readStored(0, 10));
  expect(await exportOf(journal)).toEqual(lines);
  await journal.close();
});

test("[JN30] an export that was formatted anew still imports", async () => {
  const spaced = lines.map((line) => {
    const { entry, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const turned = entry === undefined ? {} : { entry: turn(entry as object) };
    return `${JSON.stringify({ ...rest, ...turned }).replaceAll(",", " , ")}\n`;
  });
  // Commas in the texts would be changed with the others.
  expect(lines.join("")).not.toMatch(/note \d,/);
  const { imported } = await importText(spaced.join(""));
  expect(await imported).toEqual({ head: await original.head() });
});

function turn(fields: object): object {
  return Object.fromEntries(Object.entries(fields).toReversed());
}

test("[JN30] the export of an empty journal imports", async () => {
  const text = (await exportOf(memoryJournal({ clock }))).join("");
  const { imported } = await importText(text);
  expect(await imported).toEqual({ head: GENESIS });
});

test("[JN30] an export cut at any byte is reported with its line", async () => {
  const whole = Buffer.from(lines.join(""));
  const cuts = [1, 100, ...lines.map((_, index) => endOf(index)), whole.length - 2];
  for (const cut of cuts.filter((one) => one < whole.length)) {
    const text = whole.toString("latin1", 0, cut);
    const line = text.split("\n").length;
    writeFileSync(path, text, "latin1");
    const journal = memoryJournal({ clock });
    await expect(importFile(journal, { path })).rejects.toMatchObject({
      code: "journal_truncated",
      message: expect.stringContaining(`${path} line ${line}: `) as string,
    });
    expect(await journal.head()).toEqual(GENESIS);
  }
});

function endOf(index: number): number {
  return Buffer.byteLength(lines.slice(0, index + 1).join(""));
}

test("[JN30] what a cut export has is imported if it is accepted", async () => {
  const { imported, journal } = await importText(lines.join("").slice(0, endOf(2) + 10), true);
  expect(await imported).toEqual({ head: await journal.head(), incompleteLine: 4 });
  expect(await journal.readStored(0, 10)).toEqual(await original.readStored(0, 3));
});

test.each([
  ["a changed entry", 3, (line: string) => line.replace("note 3", "note 4")],
  ["a changed hash", 3, (line: string) => line.replace(/"hash":"./, '"hash":"-')],
  ["a line that is no JSON", 3, () => "broken\n"],
  ["a line that is no entry", 3, () => '{"hash":"f"}\n'],
  ["null", 2, () => "null\n"],
  ["an empty line", 3, () => "\n"],
  ["an entry that is missing", 3, () => ""],
  ["an entry that comes twice", 4, (line: string) => line + line],
  ["a newer entry", 3, () => '{"entry":{"seq":3},"hash":"f"}\n'],
])("[JN31] %s is reported with its line", async (_, number, bend) => {
  const bent = lines.map((line, index) => (index === number - 1 ? bend(line) : line));
  const { imported, journal } = await importText(bent.join(""));
  await expect(imported).rejects.toMatchObject({
    code: "journal_corrupt",
    message: expect.stringMatching(/^\S+ line [2-5]: /) as string,
  });
  expect(await journal.head()).toEqual(GENESIS);
});

test("[JN31] an end that names another head, or is not the end, is corrupt", async () => {
  const end = lines.at(-1) ?? "";
  for (const text of [
    [...lines.slice(0, 3), end],
    [...lines, end],
    [...lines, lines[0]],
  ]) {
    const { imported, journal } = await importText(text.join(""));
    await expect(imported).rejects.toMatchObject({ code: "journal_corrupt" });
    expect(await journal.head()).toEqual(GENESIS);
  }
});

test("[JN31] a line without an end is not read into memory for ever", async () => {
  const { imported } = await importText(`{"entry":"${"x".repeat(9_000_000)}`);
  await expect(imported).rejects.toMatchObject({ code: "journal_corrupt" });
});

test("[JN28] an export that cannot be read is storage_failed", async () => {
  const missing = importFile(memoryJournal({ clock }), { path: join(folder, "none.jsonl") });
  await expect(missing).rejects.toMatchObject({ code: "storage_failed" });
});

test("[JN30] every line of an export is JSON with the entry and its hash", async () => {
  writeFileSync(path, lines.join(""));
  const parsed = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  const entries = await original.read(GENESIS, 10);
  const expected = entries.map(({ hash, ...entry }) => ({ entry, hash }));
  expect(parsed).toEqual([...expected, { end: await original.head() }]);
});
