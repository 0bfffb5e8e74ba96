// `npm run docs [-- FOLDER]`: writes cli.md from the verbs themselves, and sandboxes.md from the
// cases that the tests of hostile workers try; into docs/ by default.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { format } from "prettier";
import { PROBLEMS } from "../src/protocol/problem.ts";
import { helpOf } from "../src/cli/parse.ts";
import type { Verb } from "../src/cli/verb.ts";
import { loadVerbs } from "../src/cli/verbs.ts";
import { overallHelp } from "../src/cli/help/overall.ts";
import { sandboxesPage } from "../tests/hostile/page.ts";

/** The width that the help in the documentation is laid out for, characters. */
const COLUMNS = 96;

const INTRODUCTION = `# The command line

Made from the program by \`npm run docs\`; do not edit it here.

Every verb takes \`--json\`: one JSON object on stdout, \`{"ok":true,"data":{…},"seq":42}\`,
\`{"ok":false,"refusal":{"code","message","facts"},"seq":43}\` or
\`{"ok":false,"error":{"code","message","retryable"}}\`. Verbs that stream print one object a line,
each with its \`kind\`; the answer is the last of them, of kind \`answer\`. Names are \`snake_case\`
with their unit; instants end in \`_at_ms\`.

The fleet is found by walking up from the current folder: the nearest folder that has one is
meant, in the \`.git/stint\` of a repository (its common directory, which all working trees share)
or in a \`.stint\`, which a program may have made. Where one folder has both, \`.git/stint\` is
meant. When another lies in the same folder or working tree, a note on stderr names it;
\`--fleet DIR\` with its state folder means it. Where \`STINT_WORKER_TOKEN_FILE\` is set, the caller
is that worker and never the operator.`;

const ROOT = join(import.meta.dirname, "..");
const [given] = process.argv.slice(2);
if (given?.startsWith("-") === true) {
  process.stderr.write(`FOLDER must be the folder to write to, got "${given}"\n`);
  process.exit(2);
}
const folder = resolve(given ?? join(ROOT, "docs"));

mkdirSync(folder, { recursive: true });
await write("cli.md", await documentCli());
await write("sandboxes.md", sandboxesPage());

/** Formatted as `npm run format` would, so that neither undoes what the other has done. */
async function write(name: string, page: string): Promise<void> {
  const text = await format(page, { parser: "markdown", printWidth: 100 });
  writeFileSync(join(folder, name), text);
}

/** The documentation of the command line, as Markdown. */
async function documentCli(): Promise<string> {
  const verbs = (await loadVerbs()).filter(({ isHidden }) => isHidden !== true);
  const overall = fence(await overallHelp());
  const parts = [INTRODUCTION, overall, ...verbs.map(section), exitCodes()];
  return `${parts.join("\n\n")}\n`;
}

function section(verb: Verb): string {
  return `## stint ${verb.name}\n\n${verb.summary}.\n\n${fence(helpOf(verb, COLUMNS))}`;
}

function fence(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

/** Which codes end a program how, from the one table. */
function exitCodes(): string {
  const codes = Object.entries(PROBLEMS).filter(([, { reserved }]) => !reserved);
  const rows = codes
    .toSorted(([, one], [, other]) => one.exit - other.exit)
    .map(([code, { exit, meaning }]) => `| ${exit} | \`${code}\` | ${meaning} |`);
  const head = [
    "## Exit codes",
    "",
    "| exit | code | what it says |",
    "| ---- | ---- | ------------ |",
    "| 0 | | Done, granted. |",
  ];
  const rest = [
    "",
    "`stint run` ends as its command does once that has started: with its exit code, or 128 and",
    "the number of the signal. Ctrl-C ends a verb with 130.",
  ];
  return [...head, ...rows, ...rest].join("\n");
}
