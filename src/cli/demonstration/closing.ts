import type { Report, Telling } from "../../demo/demo.ts";
import { CHURN_COMMITS_MAX } from "../../demo/tree/analysis.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";

/**
 * What is said when the demo is over: its report, how it went, and what to do next. `program`: the
 * file that `stint` stands for where it is not on PATH.
 */
export function closingLines(telling: Telling, program: string | undefined): readonly string[] {
  return [
    ...(telling.report === null ? ["Report: none was handed in"] : reportLines(telling.report)),
    ...lookAround(telling),
    verdict(telling),
    ...(telling.isPassed ? nextSteps(telling) : []),
    ...(program === undefined ? [] : [`Here \`stint\` stands for ${program}`]),
  ];
}

function nextSteps({ stateDir }: Telling): readonly string[] {
  const keep =
    "To look around in what the demo leaves: `stint demo --keep`, or in a checkout " +
    "`npm start -- --keep`.";
  return [
    "Next, in a repository of your own: `stint init`, then `stint run -- npm test`, or " +
      "`stint spawn --name mine -- COMMAND` and `stint workers`.",
    ...(stateDir === null ? [keep] : []),
  ];
}

function reportLines(report: Report): readonly string[] {
  const languages = Object.entries(report.languages)
    .toSorted(([, a], [, b]) => b.lines - a.lines)
    .map(([name, found]) => `  ${name}: ${amountText(found)}`);
  const hot = report.hot.map(({ path, churn }) => `  ${plainText(path)}: ${changedText(churn)}`);
  return [
    `Report: ${amountText(report)}, ${countText(report.bytes, "byte")}`,
    ...languages,
    report.git ? `Churn: ${changedText(report.churn ?? 0)}${inCommits}` : withoutChurn(report),
    ...hot,
  ];
}

function amountText({ files, lines }: { readonly files: number; readonly lines: number }): string {
  return `${countText(files, "file")}, ${countText(lines, "line")}`;
}

function changedText(churn: number): string {
  return `${countText(churn, "line")} changed`;
}

const inCommits = ` in the newest ${CHURN_COMMITS_MAX} commits at most`;

function withoutChurn({ whyNot }: Report): string {
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
      ...(receipt === null ? [] : [`stint receipt ${receipt.seq ?? 1} ${at}`]),
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
  const proof = receipt?.proven
    ? "every end proven"
    : "its ends swept and not proven, which is all that this rung can do";
  if (isPassed)
    return (
      "Everything happened, seen from outside or, where it says so, by the journal: " +
      `${countText(checks.length, "check", "checks")} in ` +
      `${seconds} s on the rung ${rung.name}, ${proof}.`
    );
  const names = missing.map(({ what }) => what).join("; ");
  return `NOT everything was seen in ${seconds} s on the rung ${rung.name}: ${names}.`;
}
