import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BUDGET_FIELDS } from "../../src/config/field.ts";
import * as client from "../../src/client.ts";
import * as main from "../../src/index.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { toCamel } from "../../src/library/names.ts";
import * as testing from "../../src/testing/index.ts";
import * as worker from "../../src/worker.ts";

const FILE = join(import.meta.dirname, "../../docs/library.md");

describe("[PP5] the page of the library leaves nothing out", () => {
  test.each([
    ["stint", main],
    ["stint/worker", worker],
    ["stint/testing", testing],
  ])("every value that %s exports is named in it", (door, exported) => {
    const page = readPage();
    expect(page).toContain(`"${door}"`);
    const lacking = Object.keys(exported).filter((name) => !isNamed(page, name));
    expect(lacking).toEqual([]);
  });

  test("every value that stint/client exports, and every method, is named in docs/http.md", () => {
    const page = readFileSync(join(FILE, "../http.md"), "utf8");
    expect(page).toContain('"stint/client"');
    const methods = Object.getOwnPropertyNames(client.StintClient.prototype);
    const names = [...Object.keys(client), ...methods.filter((name) => name !== "constructor")];
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !isNamed(page, name))).toEqual([]);
  });

  test.each([
    ["a fleet", "src/library/fleet/fleet.ts", "Fleet"],
    ["a worker's handle", "src/library/worker/handle.ts", "WorkerHandle"],
    ["a joined worker", "src/library/fleet/join.ts", "JoinedWorker"],
    ["the options of a fleet", "src/library/fleet/options.ts", "FleetOptions"],
    ["a fleet, about ground", "src/library/ground/keeper.ts", "LeaseKeeper"],
    ["a fleet, about its record", "src/library/inquiry/inquirer.ts", "FleetInquirer"],
    ["what is asked about a record", "src/library/inquiry/inquirer.ts", "RecordOptions"],
    ["what is asked about a path", "src/library/inquiry/why.ts", "WhyOptions"],
    ["which rules are tried", "src/library/inquiry/inquirer.ts", "WhatIfOptions"],
    ["a worker, about leases", "src/library/lease/own.ts", "LeaseHolder"],
    ["a lease in hand", "src/library/lease/hold.ts", "LeaseHandle"],
    ["a lease that is known", "src/library/lease/own.ts", "KnownLease"],
    ["what may be done with a lease", "src/library/lease/grip.ts", "LeaseVerbs"],
    ["what is asked for a lease", "src/library/lease/options.ts", "OwnAcquireOptions"],
    ["how a lease is taken over", "src/library/ground/keeper.ts", "AdoptOptions"],
    ["a lane", "src/library/ground/lanes.ts", "LaneOptions"],
  ])("every member of %s is named in it", (_, file, name) => {
    const page = readPage();
    const members = membersOf(readFileSync(join(FILE, "../..", file), "utf8"), name);
    expect(members.length).toBeGreaterThan(0);
    expect(members.filter((one) => !isNamed(page, one))).toEqual([]);
  });
});

test("[PP5] every field of a contract and of a budget is named in the page of the library", () => {
  const page = readPage();
  const fields = [
    ...Object.keys(DEFAULT_CONTRACT),
    ...Object.values(BUDGET_FIELDS).map(({ wire }) => wire),
  ]
    .filter((name) => name !== "stop")
    .map((name) => toCamel(name));
  expect(fields.length).toBeGreaterThan(20);
  expect(fields.filter((name) => !isNamed(page, name))).toEqual([]);
});

test("[PP5] the page of the library shows the contract's defaults as they are", () => {
  const rows = readPage()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const plain = Object.entries(DEFAULT_CONTRACT).filter(([, value]) => typeof value !== "object");
  expect(plain.length).toBeGreaterThan(12);
  for (const [wire, value] of plain) {
    const name = `\`${toCamel(wire)}\``;
    const [, names = "", defaults = ""] = rows.find(([, first]) => first?.includes(name)) ?? [];
    const shown = defaults.split(", ")[names.split(", ").indexOf(name)];
    expect(`${name} ${shown?.replaceAll(/[ `]/g, "")}`).toBe(`${name} ${value}`);
  }
});

function readPage(): string {
  return readFileSync(FILE, "utf8");
}

function isNamed(page: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(page);
}

/** The names of an interface's members: they stand at its first depth. */
function membersOf(source: string, name: string): readonly string[] {
  const body = new RegExp(`^export interface ${name}\\b.*?\\{\\n(.*?)^\\}`, "ms").exec(source)?.[1];
  const lines = body?.matchAll(/^ {2}(?:readonly )?(\w+)[?(:<]/gm) ?? [];
  return [...new Set([...lines].map((match) => match[1] ?? ""))];
}
