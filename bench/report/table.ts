import type { Result } from "../measure.ts";
import type { Machine } from "./machine.ts";

const HEAD = ["bench", "measured", "floor", "ratio", "target", "spread", "verdict"];

/** Results for people: a line about the machine, a table, and why what could not run did not. */
export function table(results: readonly Result[], machine: Machine): string {
  const rows = results.map(rowOf);
  const widths = HEAD.map((word, column) =>
    Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const rule = line(widths.map((width) => "-".repeat(width)));
  const remarks = results.flatMap((result) => remarkOn(result));
  return [describe(machine), "", line(HEAD), rule, ...rows.map(line), ...remarks].join("\n");
}

/** A figure with three digits, or in whole numbers from 100 on. */
export function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

function rowOf(result: Result): readonly string[] {
  const { name, target, unit } = result;
  if (result.error !== null) return [name, "", "", "", target, "", "not run"];
  const { measured, floor, floor_name, ratio, spread, verdict } = result;
  return [
    name,
    `${figure(measured)} ${unit}`,
    `${figure(floor)} (${floor_name})`,
    ratio.toFixed(2),
    target,
    `${Math.round(spread * 100)} %`,
    verdict === "missed" ? "MISSED" : verdict,
  ];
}

function remarkOn(result: Result): readonly string[] {
  const { name } = result;
  if (result.error !== null) return [`${name}: not run: ${result.error}`];
  if (result.verdict === "too few rounds")
    return [`${name}: too few rounds to tell: at least 3 are wanted, got ${result.rounds.length}`];
  if (result.verdict !== "too noisy to tell") return [];
  const others = Math.round(result.others_share * 100);
  const spread = Math.round(result.spread * 100);
  return [`${name}: too noisy to tell: others used ${others} % of the cores, spread ${spread} %`];
}

function describe(machine: Machine): string {
  const { core_count: cores, cpu, memory_bytes, node, kernel, file_system, load } = machine;
  const memory = `${Math.round(memory_bytes / 2 ** 30)} GiB`;
  return `${cores} × ${cpu}, ${memory}, ${kernel}, ${file_system}, Node ${node}, load ${load}`;
}
