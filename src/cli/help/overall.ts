import { verbsOf } from "../argv.ts";
import { pairsText } from "../text/table.ts";
import type { Verb } from "../verb.ts";
import { loadVerb, loadVerbs } from "../verbs.ts";

const FRAME_OPTIONS: readonly (readonly [string, string])[] = [
  ["--json", "answer with JSON on stdout: one object, or one a line"],
  ["--fleet <dir>", "the fleet: a repository, a folder in one, or a state folder"],
  ["-h, --help", "show help; after a verb, of that verb"],
  ["-V, --version", "show the version"],
];

/** The help of the whole program. */
export async function overallHelp(): Promise<string> {
  const verbs = (await loadVerbs()).filter(({ isHidden }) => isHidden !== true);
  return [
    "stint: bounded rights for fleets of workers that spawn workers",
    "",
    "Usage: stint [options] <verb> ...",
    "       stint                      how the fleet is, and what to do next",
    "",
    "Verbs:",
    indent(listOf(verbs)),
    "",
    "Options:",
    indent(pairsText(FRAME_OPTIONS)),
    "",
    "Examples:",
    "  $ stint init",
    "  $ stint run --memory 256MiB -- npm test",
    "  $ stint stop --all",
    "",
    "Exit codes: 0 done, 2 not understood, 3 refused, 4 not found, 5 the world failed,",
    "  6 a stop is not proven, 1 a bug in stint; `run`: the command's own.",
    "",
  ].join("\n");
}

/** The help of verbs that begin with the same word. */
export async function groupHelp(group: string): Promise<string> {
  const verbs = (await Promise.all(verbsOf(group).map((name) => loadVerb(name)))).filter(
    (verb) => verb !== undefined,
  );
  const examples = verbs.flatMap((verb) => verb.examples.slice(0, 1)).map((one) => `  $ ${one}`);
  return [
    `Usage: stint ${group} <verb> ...`,
    "",
    "Verbs:",
    indent(listOf(verbs)),
    "",
    "Examples:",
    ...examples,
    "",
  ].join("\n");
}

function listOf(verbs: readonly Verb[]): string {
  return pairsText(verbs.map(({ name, summary }) => [name, summary]));
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
