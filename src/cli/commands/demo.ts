import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { examineContainment } from "../../compose/record/inspection.ts";
import type { DemoOptions, Telling } from "../../demo/demo.ts";
import { stintFile } from "../../demo/task.ts";
import type { Narrator } from "../../demo/telling/narrator.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { toWire } from "../../library/names.ts";
import { Fault } from "../../ports/fault.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Call, Said } from "../call.ts";
import { narratorFor } from "../demonstration/narrator.ts";
import { closingLines } from "../demonstration/closing.ts";
import { Interruption } from "../interruption.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const demo: Verb = {
  name: "demo",
  summary: "Watch a real fleet live, be refused, misbehave and be stopped, on a repository",
  details:
    "Begins a fleet in a temporary folder, under a supervisor of its own. A root worker divides " +
    "the repository and replicates into two generations of processes, which analyse it. On the " +
    "way replications are refused by four rules; workers hang, die, doze, run off, are frozen; " +
    "two who want one file of a scratch clone take turns by leases; then the fleet is killed. " +
    "Every step is checked from outside of the fleet, by the host's " +
    "process table and by files; which rule refused and why a worker was ended is checked by the " +
    "journal.\n\n" +
    "Nothing is left of it, but for the folder with --keep, and only when it came to its end. " +
    "The tree is only read: the repository around the current folder, else Stint's own. Without " +
    "git, or outside of a repository, it is analysed without churn.\n\n" +
    "Exits with 0 only if all of it was seen, with 1 if something was not: `data.checks` names it.",
  options: [
    { flags: "--repo <dir>", description: "analyse this tree" },
    { flags: "--keep", description: "leave the fleet's folder, and say how to look around" },
    {
      flags: "--rung <name>",
      description: "best, cgroup, pid-namespace or process-group (default: best)",
      parse: parseRung,
    },
  ],
  examples: ["stint demo", "stint demo --repo ~/work/site --keep", "stint demo --json"],
  run,
};

/** The verb `demo`. */
export const VERBS: VerbFile["VERBS"] = [demo];

type RungName = DemoOptions["rung"];

const RUNGS = ["best", "cgroup", "pid-namespace", "process-group"] as const;

function parseRung(text: string): (typeof RUNGS)[number] {
  const rung = RUNGS.find((known) => known === text);
  if (rung !== undefined) return rung;
  const expected = `one of ${RUNGS.join(", ")}`;
  throw new InputError("usage", [{ path: "--rung", expected, got: text }]);
}

async function run(call: Call, { options }: Given): Promise<Said> {
  const narrator = narratorFor(call);
  const sayInterrupted = (): void => {
    if (!isUnread(call.signal)) narrator.tell(`Interrupted (${nameOf(call.signal)}): ending all.`);
  };
  call.signal.addEventListener("abort", sayInterrupted, { once: true });
  try {
    const root = await treeOf(options["repo"]);
    const wanted = (options["rung"] as (typeof RUNGS)[number] | undefined) ?? "best";
    const rung = await chooseRung(wanted, (line) => narrator.tell(line));
    const isKept = options["keep"] === true;
    return say(narrator, await play({ root, rung, isKept, narrator, signal: call.signal }));
  } catch (error) {
    // Nobody reads on, which is no failure elsewhere: but not everything has happened.
    if (!isUnread(call.signal)) {
      narrator.close();
      // Of nothing else is it known whether all was ended.
      if (call.signal.aborted && error === call.signal.reason)
        narrator.tell("Everything of the demo was ended, and its folder is removed.");
      throw error;
    }
    return { data: { passed: false }, text: "", exit: PROBLEMS.bug.exit };
  } finally {
    call.signal.removeEventListener("abort", sayInterrupted);
    narrator.close();
  }
}

function nameOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function isUnread({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Interruption && reason.exit === 0;
}

async function play(options: DemoOptions): Promise<Telling> {
  const { runDemo } = await import("../../demo/demo.ts");
  const leaveScreen = (): void => options.narrator.close();
  process.once("exit", leaveScreen);
  try {
    return await runDemo(options);
  } finally {
    process.off("exit", leaveScreen);
  }
}

function isByNpm(): boolean {
  return process.env["npm_lifecycle_event"] === "start";
}

/** The tree that was named; else the one that is meant where the user stands. */
async function treeOf(named: unknown): Promise<string> {
  const { INIT_CWD: calledFrom } = process.env;
  // `npm start` runs in the folder of its package, wherever its user stands.
  const stands = isByNpm() && calledFrom !== undefined ? calledFrom : process.cwd();
  if (typeof named !== "string") {
    const { chooseTree } = await import("../../demo/tree/choice.ts");
    return chooseTree(realpathSync(stands));
  }
  const dir = resolve(stands, named);
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return realpathSync(dir);
  throw new InputError("usage", [{ path: "--repo", expected: "a folder", got: named }]);
}

/**
 * The rung that is to be shown; tells of the better ones why they do not work here. Throws `Fault`
 * `sandbox_unavailable` where the one that is wanted does not.
 */
async function chooseRung(
  wanted: (typeof RUNGS)[number],
  tell: (line: string) => void,
): Promise<RungName> {
  if (process.platform !== "linux") {
    const message = `a fleet of processes must run on Linux, this is ${process.platform}`;
    throw new Fault("sandbox_unavailable", message);
  }
  const { examineContainment } = await import("../../compose/record/inspection.ts");
  const { rungs } = await examineContainment();
  const chosen = rungs.find(({ rung, works }) => works && (wanted === "best" || rung === wanted));
  if (chosen === undefined) throw unavailable(wanted, rungs);
  const better = wanted === "best" ? rungs.slice(0, rungs.indexOf(chosen)) : [];
  for (const { rung, why } of better) tell(`The rung ${rung} does not work here: ${why ?? "?"}`);
  if (better.length > 0 && chosen.rung === "process-group")
    tell("So workers are contained by nothing but their process group: no end can be proven.");
  return chosen.rung;
}

function unavailable(
  wanted: string,
  rungs: Awaited<ReturnType<typeof examineContainment>>["rungs"],
): Fault {
  const { why = "it does not work here", remedy } = rungs.find(({ rung }) => rung === wanted) ?? {};
  const advice = remedy === undefined ? "" : `; ${remedy}`;
  const message = `the rung "${wanted}" must work here, got: ${why}${advice}`;
  return new Fault("sandbox_unavailable", message);
}

function say(narrator: Narrator, telling: Telling): Said {
  narrator.close();
  // The end of the story is told where the story was: under --json on the other stream.
  for (const line of closingLines(telling, isByNpm() ? stintFile() : undefined))
    narrator.tell(line);
  const exit = telling.isPassed ? {} : { exit: PROBLEMS.bug.exit };
  return { data: documentOf(telling), text: "", ...exit };
}

/** The telling for programs; what it never came to is null. */
function documentOf(telling: Telling): JsonObject {
  const { report, checks, workers, ...more } = telling;
  const { isPassed, stateDir, durationMs, rung, degraded, allowed, refusals, receipt, journal } =
    more;
  return {
    passed: isPassed,
    checks: checks.map(({ name, what, isSeen, detail }) => ({ name, what, seen: isSeen, detail })),
    report: report === null ? null : reportDocument(report),
    rung: { ...rung },
    degraded: [...degraded],
    allowed: [...allowed],
    workers: toWire(workers, "workers") as JsonObject[],
    refusals: [...refusals],
    receipt: receipt === null ? null : (toWire(receipt, "receipt") as JsonObject),
    journal: journal === null ? null : journalDocument(journal),
    state_dir: stateDir,
    duration_ms: durationMs,
  } as unknown as JsonObject;
}

/** Languages are names of their own and stay as they are. */
function reportDocument(report: Telling["report"] & {}): JsonObject {
  const { languages, whyNot, closedFolders, ...counts } = report;
  return {
    ...counts,
    hot: [...report.hot],
    why_not: whyNot,
    closed_folders: closedFolders,
    languages: { ...languages },
  };
}

function journalDocument(journal: Telling["journal"] & {}): JsonObject {
  const { entryCount, isVerified, isReplayed } = journal;
  return { entry_count: entryCount, verified: isVerified, replayed: isReplayed };
}
