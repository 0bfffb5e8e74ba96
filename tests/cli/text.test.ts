import { describe, expect, test } from "vitest";
import { coloursFor, wantsColour } from "../../src/cli/text/colour.ts";
import { agoText, durationText, instantText } from "../../src/cli/text/duration.ts";
import { integerText } from "../../src/cli/text/integer.ts";
import { paragraphText } from "../../src/cli/text/paragraph.ts";
import { plainText, shortText } from "../../src/cli/text/plain.ts";
import { coresText, countText, sizeText } from "../../src/cli/text/size.ts";
import { pairsText, tableText, widthOf } from "../../src/cli/text/table.ts";

describe("durations", () => {
  test.each([
    [0, "0ms"],
    [999.9, "999ms"],
    [1_000, "1s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [125_000, "2m 5s"],
    [3_600_000, "1h"],
    [90_061_000, "1d 1h"],
    [-1_500, "-1s"],
  ])("%d ms is %s", (durationMs, expected) => {
    expect(durationText(durationMs)).toBe(expected);
  });

  test("instants are told from now, and by the calendar", () => {
    expect(agoText(10_000, 10_999)).toBe("just now");
    expect(agoText(10_000, 22_000)).toBe("12s ago");
    expect(agoText(310_000, 10_000)).toBe("in 5m");
    expect(instantText(1_700_000_000_999)).toBe("2023-11-14 22:13:20Z");
    expect(instantText(1e20)).toBe("100000000000000000000 ms");
    expect(instantText(Number.NaN)).toBe("NaN ms");
  });
});

describe("sizes and counts", () => {
  test.each([
    [0, "0B"],
    [1_023, "1023B"],
    [1_024, "1KiB"],
    [1_536, "1.5KiB"],
    [256 * 2 ** 20, "256MiB"],
    [2 ** 20 - 1, "1MiB"],
    [2 ** 60, "1024PiB"],
  ])("%d bytes are %s", (sizeBytes, expected) => {
    expect(sizeText(sizeBytes)).toBe(expected);
  });

  test("cores and nouns", () => {
    expect([coresText(500), coresText(2_000)]).toEqual(["0.5", "2"]);
    expect([countText(1, "worker"), countText(0, "worker")]).toEqual(["1 worker", "0 workers"]);
    expect(countText(2, "entry", "entries")).toBe("2 entries");
  });
});

describe("[EX16] what others wrote cannot move a terminal", () => {
  test("controls, overrides and line ends are shown escaped", () => {
    expect(plainText("a\u001B[2Jb\r\nc\td\u202Ee\u2028\u0085")).toBe(
      String.raw`a\u{1b}[2Jb\u{d}\nc\td\u{202e}e\u{2028}\u{85}`,
    );
    expect(plainText("Grüße 👋 — ok")).toBe("Grüße 👋 — ok");
  });

  test("long texts end in an ellipsis, never within a character", () => {
    expect(shortText("👋👋👋", 2)).toBe("👋…");
    expect(shortText("ab", 2)).toBe("ab");
  });
});

describe("tables", () => {
  test("[CV29] a table that is too wide does without what may be spared, and no more", () => {
    const wide = [
      { head: "ID", cell: () => "w-1" },
      { head: "PID", cell: () => "12345", spare: 1 },
      { head: "BEAT", cell: () => "12s ago", spare: 2 },
    ];
    const at = (widthMax: number): string =>
      tableText({ columns: wide, rows: [0], widthMax }).split("\n", 1)[0] ?? "";
    expect([at(19), at(18), at(10), at(9), at(1)]).toEqual([
      "ID   PID    BEAT",
      "ID   PID",
      "ID   PID",
      "ID",
      "ID",
    ]);
  });

  const rows = [
    { id: "w-1", name: "日本", count: 3 },
    { id: "w-22", name: "b", count: 12 },
  ];
  const columns = [
    { head: "ID", cell: ({ id }: (typeof rows)[0]) => id },
    { head: "NAME", cell: ({ name }: (typeof rows)[0]) => name },
    { head: "NONE", cell: () => "" },
    { head: "N", cell: ({ count }: (typeof rows)[0]) => String(count), isRight: true },
  ];

  test("are even on a terminal, wide characters and colours included", () => {
    const { red } = coloursFor(true);
    const coloured = [{ ...columns[0], head: "ID", cell: () => red("w") }, ...columns.slice(1)];
    expect(tableText({ columns, rows })).toBe(
      ["ID    NAME   N", "w-1   日本   3", "w-22  b     12"].join("\n"),
    );
    const widths = tableText({ columns: coloured, rows }).split("\n").map(widthOf);
    expect(new Set(widths).size).toBe(1);
  });

  test("of nothing is its headings alone, or nothing at all", () => {
    expect(tableText({ columns, rows: [] })).toBe("");
    expect(
      pairsText([
        ["a", "1"],
        ["long", "2"],
      ]),
    ).toBe("a     1\nlong  2");
  });
});

describe("colour", () => {
  test("is for terminals alone, and never under NO_COLOR", () => {
    expect(coloursFor(true).red("x")).toBe("\u001B[31mx\u001B[39m");
    expect(coloursFor(false).red("x")).toBe("x");
    expect(wantsColour(true, {})).toBe(true);
    expect(wantsColour(true, { NO_COLOR: "" })).toBe(true);
    expect(wantsColour(true, { NO_COLOR: "1" })).toBe(false);
    expect(wantsColour(true, { TERM: "dumb" })).toBe(false);
    expect(wantsColour(false, {})).toBe(false);
  });
});

test("paragraphs break at blanks, and longer words stay whole", () => {
  expect(paragraphText("one two three", 7)).toBe("one two\nthree");
  expect(paragraphText("incomprehensible it is", 5)).toBe("incomprehensible\nit is");
});

test.each(["", "1.5", "-1", "1e3", " 1", "99999999999999999"])("%j is no integer", (text) => {
  expect(() => integerText("--tail", 0, 10)(text)).toThrow(
    "--tail must be an integer from 0 to 10, got",
  );
});
