import type { Telling } from "../../demo/demo.ts";
import { CHURN_COMMITS_MAX } from "../../demo/tree/analysis.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";

/** What is said when the demo is over: its report, and in the end how it went. */
export function closingText(telling: Telling): {
  readonly lines: readonly string[];
  readonly text: string;
} {
  return {
    lines: [...reportLines(telling.report), ...lookAround(telling)],
    text: verdict(telling),
  };
}

function reportLines(report: Telling["report"]): readonly string[] {
  const languages = Object.entries(report.languages)
    .toSorted(([, a], [, b]) => b.lines - a.lines)
    .map(([name, { files, lines }]) => `  ${name}: ${files} files, ${lines} lines`);
  const hot = report.hot.map(({ path, churn }) => `  ${plainText(path)}: ${churn} lines changed`);
  return [
    `Report: ${report.files} files, ${report.lines} lines, ${report.bytes} bytes`,
    ...languages,
    report.git ? `Churn: ${report.churn ?? 0} lines changed${inCommits}` : withoutChurn(report),
    ...hot,
  ];
}

const inCommits = ` in the newest ${CHURN_COMMITS_MAX} commits at most`;

function withoutChurn({ whyNot }: Telling["report"]): string {
  if (whyNot === "outside") return "Churn: none, for the tree is not in git";
  if (whyNot === "absent") return "Churn: none, for there is no git on this machine";
  return `Churn: none, for git refused: ${plainText(whyNot)}`;
}

function lookAround({ stateDir, receipt, refusals, workers }: Telling): readonly string[] {
  if (stateDir === null) return [];
  const at = `--fleet ${stateDir}`;
  const refused = refusals.length === 0 ? [] : [`stint explain ${refusals[0]?.seq ?? 1} ${at}`];
  const root = workers[0];
  return [
    "The folder is left. Look around:",
    ...[
      `stint workers --all ${at}`,
      ...(root === undefined ? [] : [`stint worker show ${root.id} ${at}`]),
      ...refused,
      `stint receipt ${receipt.seq ?? 1} ${at}`,
      `stint journal tail -n 20 ${at}`,
      `stint journal verify ${at}`,
      ...workers.filter(({ name }) => name === "ticker").map(({ id }) => `stint logs ${id} ${at}`),
    ].map((line) => `  ${line}`),
    `and when you have seen it: rm -r ${stateDir.replace(/\/[^/]*$/, "")}`,
  ];
}

function verdict({ isPassed, checks, rung, receipt, durationMs }: Telling): string {
  const seconds = Math.round(durationMs / 1_000);
  const missing = checks.filter(({ isSeen }) => !isSeen);
  const proof = receipt.proven
    ? "every end proven"
    : "its ends swept and not proven, which is all that this rung can do";
  if (isPassed)
    return (
      `Everything happened, seen from outside: ${countText(checks.length, "check", "checks")} in ` +
      `${seconds} s on the rung ${rung.name}, ${proof}.`
    );
  const names = missing.map(({ what }) => what).join("; ");
  return `NOT everything was seen in ${seconds} s on the rung ${rung.name}: ${names}.`;
}
