/*
 * npm run bench [-- NAME…] [--json]: floor and measure in turn, medians, ratio, target.
 * A missed bar is shown, not an error: exit 0 unless a bench could not run.
 */
import { parseArgs } from "node:util";
import { BENCHES } from "./benches.ts";
import { run, type Result } from "./measure.ts";

const USAGE = `npm run bench [-- NAME…] [--json] [--list]

Measures Stint against floors taken in the same run and prints medians and ratios.
NAME selects benches whose name contains it.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return say(USAGE);
  const chosen = BENCHES.filter(
    ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  if (values.list) return say(chosen.map(({ name }) => name).join("\n"));
  if (chosen.length === 0) {
    process.stderr.write(`no bench has ${positionals.join(" or ")} in its name\n`);
    return 2;
  }
  const results: Result[] = [];
  for (const bench of chosen) {
    process.stderr.write(`measuring ${bench.name} …\n`);
    results.push(await run(bench));
  }
  return say(values.json ? JSON.stringify({ ok: true, data: { results } }) : table(results));
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function table(results: readonly Result[]): string {
  const head = ["bench", "measured", "floor", "ratio", "target", "spread", "verdict"];
  const rows = results.map((result) => [
    result.name,
    `${figure(result.measured)} ${result.unit}`,
    `${figure(result.floor)} (${result.floor_name})`,
    result.ratio.toFixed(2),
    result.target,
    `${Math.round(result.spread * 100)} %`,
    `${result.met ? "met" : "MISSED"}${result.noisy ? ", too noisy to tell" : ""}`,
  ]);
  const widths = head.map((word, column) =>
    Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

process.exitCode = await main();
