// The table of rungs in docs/containment.md against what the drivers report here.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DEGRADATIONS } from "../../../src/kernel/fleet/contract.ts";
import { isProof } from "../../../src/kernel/worker/evidence.ts";
import { findCgroups } from "../../../src/sandbox/cgroup/find.ts";
import { openProcessSandbox } from "../../../src/sandbox/process/process-sandbox.ts";
import { RUNGS } from "../../../src/sandbox/process/rung/probe.ts";
import { CASES, needsRung, type Case } from "../../sandbox/rungs.ts";
import { needs } from "../../support/require-all.ts";
import { codesIn, listIn, section, tableIn } from "../table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/containment.md"), "utf8");
const TABLE = section(PAGE, "The three rungs");
const ROWS = tableIn(TABLE);

/** What the table says of a rung: the cell of a row in the rung's column. */
function cellOf(row: string, rung: string): string {
  const column = RUNGS.findIndex((one) => one === rung);
  const cell = ROWS.find(({ first }) => first === row)?.cells[column + 1];
  if (cell === undefined) throw new Error(`the table must have a row "${row}", it has none`);
  return cell;
}

/** The row that is about this user, and about control groups as they are used. */
function degradedRow(usesGroups: boolean): string {
  if (!usesGroups) return "degraded without control groups";
  const isRoot = process.getuid?.() === 0;
  return isRoot ? "degraded, root, control groups" : "degraded, plain user, the same";
}

async function hasAllGroups(): Promise<boolean> {
  const { can } = (await findCgroups("f-paper")) ?? {};
  return can !== undefined && can.memory && can.cpu && can.processes;
}

test("[PP41] the columns of the table are the rungs, best first", () => {
  const head = TABLE.split("\n").find((line) => line.startsWith("|"));
  expect(codesIn(head ?? "")).toEqual(RUNGS);
});

test("[PP41] every word of weakness is explained, and no other", () => {
  const words = listIn(section(PAGE, "What the degraded words mean")).map(({ first }) => first);
  expect(words).toEqual([...DEGRADATIONS]);
});

const ON: readonly Case[] = [
  ...CASES,
  { name: "pid-namespace, with control groups", options: { rung: "pid-namespace" } },
];

describe.each(ON)("on the rung $name", ({ name, options }) => {
  test("[PP41] the table says what the driver reports and how it proves an end", async () => {
    await needsRung({ name, options });
    const { rung = "", usesCgroups = true } = options;
    const hasGroups = usesCgroups && rung !== "process-group";
    if (hasGroups) needs(await hasAllGroups(), "control groups that hold all limits");
    const stateFolder = mkdtempSync(join(tmpdir(), "stint-paper-rung-"));
    onTestFinished(() => rmSync(stateFolder, { recursive: true, force: true }));
    const sandbox = await openProcessSandbox({ ...options, stateFolder, fleet: "f-paper" });
    onTestFinished(() => sandbox.close());

    const words = cellOf("in words", rung);
    const here = `${words.replace(/^control group, /, "")}, without a control group`;
    expect(sandbox.rung).toBe(hasGroups || rung === "process-group" ? words : here);
    expect(sandbox.degraded).toEqual(codesIn(cellOf(degradedRow(hasGroups), rung)));

    await sandbox.start({ instance: "w-paper", run: ["sleep", "600"], files: {} });
    const order = { graceMs: 0, deadlineMs: 10_000, by: "a test" };
    const ending = await sandbox.stop("w-paper", order);
    const grade = ending?.evidence.grade ?? "declared";
    expect([grade]).toEqual(codesIn(cellOf("evidence of an end", rung)));
    const isYes = cellOf("an end is proven", rung) === "yes";
    expect(isProof(grade)).toBe(isYes);
    expect(ending?.evidence.facts["rung"]).toBe(rung);
  });
});
