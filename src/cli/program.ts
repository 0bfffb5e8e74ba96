import { splitArgv, verbsOf, type Typed } from "./argv.ts";
import { refuseWorker } from "./as-worker.ts";
import { parseFlags } from "./flags.ts";
import { Refused, type RefusalView } from "../library/refused.ts";
import { Interruption } from "./interruption.ts";
import type { Parsed } from "./parse.ts";
import { ProcessCall } from "./process-call.ts";
import { givenAgain, reportError, reportSaid, UsageError, type Report } from "./report.ts";
import type { Told } from "./record/refusal-hint.ts";
import type { Terminal } from "./terminal.ts";
import type { Given, Verb } from "./verb.ts";
import { loadVerb } from "./verbs.ts";

/** What a program runs in. */
export interface ProgramOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly force: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs a command line to its end and answers the exit code; never throws. */
export async function runProgram(argv: readonly string[], so: ProgramOptions): Promise<number> {
  const isJson = asksForJson(argv);
  try {
    const typed = splitArgv(argv);
    if (typed.wantsVersion) return await printVersion(typed, so.terminal);
    if (typed.verb === undefined) return await runWithoutVerb(typed, so);
    const verb = await loadVerb(typed.verb);
    if (verb === undefined) throw new UsageError(`stint ${typed.verb} is not there in this build`);
    return await runVerb(verb, typed, so);
  } catch (error) {
    return print(reportError(error), { ...so, isJson, hasStreamed: false });
  }
}

async function runVerb(verb: Verb, typed: Typed, so: ProgramOptions): Promise<number> {
  const parsed = typed.wantsHelp ? undefined : await parseAny(verb, typed.rest);
  if (parsed === undefined) {
    const { helpOf } = await import("./parse.ts");
    so.terminal.out(helpOf(verb, so.terminal.columns));
    return 0;
  }
  const { given, ...frame } = parsed;
  const isJson = typed.isJson || frame.isJson;
  if (typed.fleet !== undefined && frame.fleet !== undefined) throw givenAgain("--fleet");
  const call = new ProcessCall({
    ...so,
    verb: verb.name,
    isJson,
    fleet: frame.fleet ?? typed.fleet,
  });
  const report = await carryOut(verb, call, { given, terminal: so.terminal });
  return print(report, { ...so, isJson, hasStreamed: call.hasStreamed });
}

/** Undefined when help was asked for. */
async function parseAny(verb: Verb, words: readonly string[]): Promise<Parsed | undefined> {
  const simple = parseFlags(verb, words);
  if (simple !== undefined) return simple;
  const { parseVerb } = await import("./parse.ts");
  return parseVerb(verb, words);
}

async function carryOut(
  verb: Verb,
  call: ProcessCall,
  so: { readonly given: Given; readonly terminal: Terminal },
): Promise<Report> {
  const { given } = so;
  try {
    const { workerTokenFile: tokenFile } = call;
    if (tokenFile !== undefined && verb.isForWorkers !== true)
      throw await refuseWorker(verb.name, { given, tokenFile });
    const said = await verb.run(call, given);
    await call.close();
    return reportSaid({ ...said, exit: said.exit ?? interruptionOf(call.signal)?.exit ?? 0 });
  } catch (error) {
    await closeAfter(call, so.terminal);
    // Whoever stopped it knows why; that it was stopped is no error of anything.
    const how = isAbort(error) ? interruptionOf(call.signal) : undefined;
    if (how !== undefined) return reportInterrupted(how);
    return error instanceof Refused ? reportRefusal(call, error, verb.name) : reportError(error);
  }
}

/** Reports a refusal with its entry; who may read the journal is told how to have it explained. */
async function reportRefusal(call: ProcessCall, refused: Refused, verb: string): Promise<Report> {
  const { refusal, seq } = refused;
  // A worker has no eyes for the journal.
  if (seq === undefined || call.workerTokenFile !== undefined) return reportError(refused);
  const { recordedAt } = await import("./record/refusal-entry.ts");
  const recorded = await recordedAt(call, refused);
  const told = await toldTo(call, refusal, verb);
  if (recorded === undefined) return reportError(new Refused(told.refusal), undefined, told.hints);
  const where = call.fleetDir === undefined ? "" : ` --fleet ${call.fleetDir}`;
  const explainWith = `stint explain ${recorded}${where}`;
  return reportError(new Refused(told.refusal, recorded), explainWith, told.hints);
}

/** What a person is told; for a program there is what the rules have said, and nothing else. */
async function toldTo(call: ProcessCall, refusal: RefusalView, verb: string): Promise<Told> {
  if (call.isJson) return { refusal, hints: [] };
  const { tellPerson } = await import("./record/refusal-hint.ts");
  return tellPerson(call, refusal, verb);
}

/** Closes after a failure, which is what is to be told; that closing failed too comes second. */
async function closeAfter(call: ProcessCall, terminal: Terminal): Promise<void> {
  try {
    await call.close();
  } catch (error) {
    terminal.note(`stint: it could not be closed either: ${reportError(error).text}\n`);
  }
}

/** What is said of an interrupted call: to a person, who interrupted it, nothing. */
function reportInterrupted({ exit, message: what }: Interruption): Report {
  const message = `the call must come to its end, it was interrupted: ${what}`;
  return {
    exit,
    json: { ok: false, error: { code: "interrupted", message, retryable: false } },
    text: "",
  };
}

/** How a call was interrupted, by its signal's reason. */
function interruptionOf(signal: AbortSignal): Interruption | undefined {
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  return reason instanceof Interruption ? reason : undefined;
}

function isAbort(error: unknown): boolean {
  return error instanceof Interruption || (error instanceof Error && error.name === "AbortError");
}

function print(
  { exit, json, text }: Report,
  so: { readonly terminal: Terminal; readonly isJson: boolean; readonly hasStreamed: boolean },
): number {
  const { terminal } = so;
  if (so.isJson) {
    const answer = so.hasStreamed ? { kind: "answer", ...json } : json;
    terminal.out(`${JSON.stringify(answer)}\n`);
  } else if (text !== "" && json["ok"] === true) terminal.out(`${text}\n`);
  else if (text !== "") terminal.note(`stint: ${text}\n`);
  return exit;
}

async function runWithoutVerb(typed: Typed, so: ProgramOptions): Promise<number> {
  const { overallHelp, groupHelp } = await import("./help/overall.ts");
  const { group } = typed;
  if (group !== undefined && !typed.wantsHelp) {
    const names = verbsOf(group).map((name) => `\`stint ${name}\``);
    throw new UsageError(`stint ${group} must be followed by a verb: ${names.join(", ")}`);
  }
  if (group !== undefined || typed.wantsHelp) {
    so.terminal.out(group === undefined ? await overallHelp() : await groupHelp(group));
    return 0;
  }
  const { OVERVIEW } = await import("./overview.ts");
  return runVerb(OVERVIEW, typed, so);
}

async function printVersion({ isJson }: Typed, terminal: Terminal): Promise<number> {
  const { VERSION } = await import("../system/version.ts");
  const json = { ok: true, data: { version: VERSION } };
  return print({ exit: 0, json, text: VERSION }, { terminal, isJson, hasStreamed: false });
}

/** What cannot be understood is still answered in the form that it asks for. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
}
