// One block, tried in its story: written, checked, run and compared, as its language and its
// markers say. What is not as the page says is a PageError.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PageError, type Block } from "./block.ts";
import { isAsExpected, promptsOf, withoutChance } from "./expected.ts";
import { COMPILER } from "./installed.ts";
import type { Outcome, Story } from "./story.ts";

/** What the compiler is asked: as strict as a careful user's own project. */
const STRICT =
  "--strict --noEmit --module nodenext --target es2024 --lib esnext --types node " +
  "--allowImportingTsExtensions --skipLibCheck";

/** Where a block stands: what the one before it printed is what an `output` is compared with. */
export interface Standing {
  readonly story: Story;
  readonly printed: string | undefined;
}

/** Tries a block; answers what it printed, if it ran something. Throws a PageError. */
export async function tryBlock(block: Block, at: Standing): Promise<string | undefined> {
  switch (block.language) {
    case "sh":
      return trySteps(block, at.story);
    case "console":
      return tryConsole(block, at.story);
    case "ts":
    case "js":
      return tryProgram(block, at.story);
    case "toml":
    case "json":
      return tryConfig(block, at.story);
    case "jsonl":
      for (const line of block.text.trim().split("\n")) parseJson(block, line);
      return undefined;
    case "text":
      return tryText(block, at);
    case "py":
      return undefined;
  }
}

async function trySteps(block: Block, story: Story): Promise<string> {
  const outcome = await runScript(story, block.text);
  demandExit(block, outcome);
  return outcome.output;
}

/** Runs a script as a careful person would type it: the first command that fails ends it. */
async function runScript(story: Story, text: string): Promise<Outcome> {
  const file = story.aside("script.sh");
  writeFileSync(file, text);
  return story.run("bash", ["-euo", "pipefail", file]);
}

/** All commands in one shell, so that `cd` and variables carry on; a mark parts their outputs. */
async function tryConsole(block: Block, story: Story): Promise<string> {
  const prompts = promptsOf(block.text);
  if (prompts === undefined || prompts.length === 0)
    throw new PageError(block, "a console must begin with `$ ` and a command");
  const mark = "\u0002 next \u0002";
  const script = prompts.map(({ command }) => `printf '%s\\n' '${mark}'\n${command}`).join("\n");
  // A program that ends without a newline must not hide the mark: it is looked for anywhere.
  const outcome = await runScript(story, script);
  const outputs = outcome.output.split(`${mark}\n`).slice(1);
  for (const [index, { command, expected }] of prompts.entries()) {
    const printed = outputs[index];
    const typed = `$ ${command.trimEnd()}`;
    if (printed === undefined) throw wrongExit(block, outcome);
    if (!isAsExpected(expected, printed)) throw wrongOutput(block, { typed, expected, printed });
  }
  demandExit(block, outcome);
  return outcome.output.replaceAll(`${mark}\n`, "");
}

let programCount = 0;

async function tryProgram(block: Block, story: Story): Promise<string | undefined> {
  programCount += 1;
  const extension = block.language === "ts" ? "mts" : "mjs";
  const file = block.file ?? `block-${programCount}.${extension}`;
  write(story, file, block.text);
  const check =
    block.language === "ts" ? [COMPILER, ...STRICT.split(" "), file] : ["--check", file];
  const checked = await story.run(process.execPath, check);
  if (checked.exit !== 0)
    throw new PageError(block, `the program must be accepted, got:\n${checked.output}`);
  if (block.isOnlyWritten) return undefined;
  const outcome = await story.run(process.execPath, [file]);
  demandExit(block, outcome);
  return outcome.output;
}

async function tryConfig(block: Block, story: Story): Promise<undefined> {
  if (block.language === "json") parseJson(block, block.text);
  if (block.file !== undefined) return write(story, block.file, block.text);
  if (block.language === "json") return undefined;
  const file = story.aside("stint.toml");
  write(story, file, block.text);
  const linted = await story.run("bash", ["-c", `stint contract lint '${file}'`]);
  if (linted.exit !== 0)
    throw new PageError(block, `toml must be a stint.toml that holds, got:\n${linted.output}`);
  return undefined;
}

function write(story: Story, name: string, text: string): undefined {
  const file = name.startsWith("/") ? name : join(story.dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function parseJson(block: Block, text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new PageError(block, `${block.language} must parse: ${String(error)}`);
  }
}

async function tryText(block: Block, { story, printed }: Standing): Promise<string | undefined> {
  if (block.isPicture) return printed;
  if (block.output === "demo") {
    await compareWithDemo(block, story);
    return printed;
  }
  if (printed === undefined)
    throw new PageError(block, "`output` must come after a block that ran, got none");
  if (!isAsExpected(block.text, printed))
    throw wrongOutput(block, { typed: "the block before", expected: block.text, printed });
  return printed;
}

/** The main job runs for real: every line that the page shows must be among what it prints. */
async function compareWithDemo(block: Block, story: Story): Promise<void> {
  const demo = await story.run("stint", ["demo"]);
  demandExit(block, demo);
  const printed = new Set(demo.output.split("\n").map(withoutChance));
  for (const line of block.text.trimEnd().split("\n")) {
    if (line.trim() === "…" || printed.has(withoutChance(line))) continue;
    throw new PageError(block, `the demo must print a line like\n${line}\ngot\n${demo.output}`);
  }
}

function demandExit(block: Block, outcome: Outcome): void {
  if (outcome.exit !== block.exit) throw wrongExit(block, outcome);
}

function wrongExit(block: Block, { exit, output }: Outcome): PageError {
  const got = exit === undefined ? "a signal" : `${exit}`;
  return new PageError(block, `must exit with ${block.exit}, got ${got}; it printed\n${output}`);
}

function wrongOutput(
  block: Block,
  so: { readonly typed: string; readonly expected: string; readonly printed: string },
): PageError {
  const { typed, expected, printed } = so;
  return new PageError(block, `${typed}\nmust print\n${expected}got\n${printed}`);
}
