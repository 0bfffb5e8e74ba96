/*
 * npm start: a real fleet on a real repository, from its first worker to its kill.
 * Exit 0 only if everything happened, seen from outside; 1 if not; 2 for usage; 130 on Ctrl-C.
 */
import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findRepository } from "./listing.ts";
import { tellStory, type Telling } from "./story.ts";

const USAGE = `npm start [-- --repo DIR] [--json]

Runs a fleet of real processes on a repository: the one you stand in, else Stint's own.
  --repo DIR   analyse this tree instead; without git its files are walked, without churn
  --json       print one object on stdout at the end, and the story on stderr`;

interface Options {
  readonly repo: string | undefined;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  if (options === "help") {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const root = await chooseTree(options.repo);
  if (root === undefined) return 2;
  const interrupted = new AbortController();
  // Again and again, too: an impatient second Ctrl-C must not leave processes behind.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => interrupted.abort());
  // Nobody listens any more, as below `head`: what was started is ended all the same.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => interrupted.abort());
  const dir = await mkdtemp(join(await realpath(tmpdir()), "stint-demo-"));
  // The demo's fleet is gone with its folder; nobody needs to remember that it was killed.
  process.env["XDG_STATE_HOME"] = dir;
  const tell = (line: string): void => {
    (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  };
  try {
    tell(`A fleet on ${root}, its state in ${dir}`);
    const telling = await tellStory({ root, dir, tell, signal: interrupted.signal });
    return conclude(telling, options, tell);
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    return fail(error, options, tell);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function readOptions(): Options | "help" | undefined {
  try {
    const { values } = parseArgs({
      options: {
        repo: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values.help ? "help" : { repo: values.repo, json: values.json };
  } catch (error) {
    // parseArgs throws for what it does not know, with a sentence of its own.
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    return undefined;
  }
}

/** The tree that was named; else the repository where the user stands; else Stint's own folder. */
async function chooseTree(named: string | undefined): Promise<string | undefined> {
  const stands = process.env["INIT_CWD"] ?? process.cwd();
  const own = resolve(import.meta.dirname, "../..");
  if (named === undefined)
    return (await findRepository(stands)) ?? (await findRepository(own)) ?? own;
  const dir = resolve(stands, named);
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory() === true) return realpath(dir);
  process.stderr.write(`--repo must be a folder, got ${named}\n`);
  return undefined;
}

function conclude(telling: Telling, options: Options, tell: (line: string) => void): number {
  const { passed, checks, report, workers, refusals, receipt, journal } = telling;
  tell(describeReport(report));
  tell(passed ? "Everything happened, seen from outside." : "NOT everything happened.");
  const data = { report, workers, refusals, receipt, journal, checks };
  const missing = checks.filter(({ seen }) => !seen).map(({ what }) => what);
  const error = { code: "bug", message: `not seen: ${missing.join("; ")}` };
  if (options.json)
    process.stdout.write(
      `${JSON.stringify(passed ? { ok: true, data } : { ok: false, error, data })}\n`,
    );
  return passed ? 0 : 1;
}

function describeReport(report: Telling["report"]): string {
  const languages = Object.entries(report.languages)
    .toSorted(([, a], [, b]) => b.lines - a.lines)
    .map(([name, { files, lines }]) => `  ${name}: ${files} files, ${lines} lines`);
  const hot = report.hot.map(({ path, churn }) => `  ${path}: ${churn} lines changed`);
  return [
    `Report: ${report.files} files, ${report.lines} lines, ${report.bytes} bytes`,
    ...languages,
    report.git ? `Churn: ${report.churn ?? 0} lines changed` : withoutChurn(report.whyNot),
    ...hot,
  ].join("\n");
}

function withoutChurn(whyNot: string): string {
  if (whyNot === "outside") return "Churn: none, for the tree is not in git";
  if (whyNot === "absent") return "Churn: none, for there is no git on this machine";
  return `Churn: none, for git refused: ${whyNot}`;
}

function fail(error: unknown, options: Options, tell: (line: string) => void): number {
  const message = error instanceof Error ? error.message : String(error);
  tell(`The story broke off: ${message}`);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok: false, error: { code: "bug", message } })}\n`);
  return 1;
}

process.exitCode = await main();
