import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { builtBin, stint, type Answer } from "../support/cli.ts";
import { needs, needsProgram } from "../support/require-all.ts";
import { countRepository, countTree, type Counts } from "./counts.ts";
import { DEMO_MS_MAX, pathWithoutGit, removeCopy, runDemo, type Ran } from "./program.ts";
import {
  cloneOwn,
  giveToNobody,
  makeMergedRepository,
  makeRepository,
  makeTree,
} from "./repository.ts";

const ROOT = join(import.meta.dirname, "../..");
const CODES = ["max_replicas", "max_depth", "cooldown", "stop_condition", "conflict"];

const isRoot = process.getuid?.() === 0;

afterAll(removeCopy);

/** What a report says that other programs can count, too. */
function countsIn({ data }: Answer): Counts {
  const { files, lines, bytes, languages, churn } = data.report;
  return { files, lines, bytes, churn, typescriptLines: languages.TypeScript?.lines ?? 0 };
}

/** Everything was seen, and the rung claims what it can prove and no more. */
function expectPassed(ran: Ran, rung: string): Answer {
  const { exit, left, stderr } = ran;
  const isStory = (line: string): boolean => /^( {2}|[ \d]{4} {2}|[✓▸A-Z])/.test(line);
  const missed = stderr.split("\n").filter((line) => line !== "" && !isStory(line));
  expect({ exit, left, missed }).toEqual({ exit: 0, left: [], missed: [] });
  const answer = ran.json();
  expect(answer.ok).toBe(true);
  const { data } = answer;
  expect(data.rung.name).toBe(rung);
  expect(data.checks.filter(({ seen }: Answer) => seen !== true)).toEqual([]);
  expect(data.checks.length).toBeGreaterThanOrEqual(29);
  expect(data.refusals.map(({ code }: Answer) => code)).toEqual(expect.arrayContaining(CODES));
  const isProven = rung !== "process-group";
  expect(data.receipt).toMatchObject({ proven: isProven, survivor_count: 0 });
  expect(data.allowed).toEqual(isProven ? [] : ["same_user", "network"]);
  expect(data.journal).toMatchObject({ verified: true, replayed: true });
  expectTold(ran, data);
  return answer;
}

/** Acts are announced, workers are told apart, and refusals are told once and counted. */
function expectTold({ stderr }: Ran, data: Answer): void {
  const lines = stderr.split("\n");
  for (const act of ["The root", "A child hangs", "A child dies", "The kill", "After the end"])
    expect(lines.filter((line) => line.startsWith(`▸ ${act}`)).length).toBeGreaterThan(0);
  expect(new Set(lines.filter((line) => line.startsWith("▸ "))).size).toBe(
    lines.filter((line) => line.startsWith("▸ ")).length,
  );
  const names = data.workers.map(({ name }: Answer) => name);
  expect(names).toEqual([...new Set(names)]);
  const codes = data.refusals.map(({ code }: Answer) => code);
  const told = lines.filter((line) => /^ *\d+ {2}REFUSED /.test(line));
  expect(told).toHaveLength(new Set(codes).size);
  const counted = lines.flatMap((line) => /REFUSED +and (\d+) more: /.exec(line)?.[1] ?? []);
  expect(told.length + counted.reduce((sum, count) => sum + Number(count), 0)).toBe(codes.length);
  expect(stderr).toContain("Next, in a repository of your own: `stint init`");
  expect(stderr).toContain("--keep");
}

/** What can be told of a demo as soon as it is over. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  return Promise.all([one, other]);
}

describe("the main job", { timeout: DEMO_MS_MAX }, () => {
  test("[DM1][DM2][DM7][DM8][DM11][DM12][DM14] on the best rung, by npm, as nobody", async () => {
    for (const name of ["git", "bwrap", "npm"]) needsProgram(name);
    const [odd, bare] = [makeRepository(), makeTree()];
    // As the root of a repository sees it that stands in one of its folders.
    const command = ["npm", "--prefix", ROOT, "--silent", "start", "--", "--json"];
    const plain = { cwd: bare, isNobody: isRoot };
    const [own, other] = await both(
      runDemo([], { cwd: join(odd, "src"), command }),
      runDemo(["--json"], plain),
    );
    const answer = expectPassed(own, "cgroup");
    expect(countsIn(answer)).toEqual(countRepository(odd));
    expect(answer.data.report).toMatchObject({ root: odd, git: true });
    expect(own.stderr).toContain("REFUSED");
    // Outside of a repository it is the folder that one stands in, without churn.
    const { data } = expectPassed(other, "cgroup");
    expect(countsIn({ data })).toEqual({ ...countTree(bare), churn: null });
    expect(data.report).toMatchObject({ root: bare, git: false, why_not: "outside" });
    expect(other.stderr).toContain("Churn: none, for the tree is not in git");
    expect(other.stderr).toContain("  JSON: 1 file, 3 lines\n");
  });

  test("[DM1][DM2][DM8][DM10] on PID namespaces alone, kept, and without git", async () => {
    for (const name of ["git", "unshare"]) needsProgram(name);
    const [merged, hers] = [makeMergedRepository(), makeRepository()];
    const rung = ["--rung", "pid-namespace", "--repo"];
    const env = { PATH: pathWithoutGit() };
    const lookers: Promise<void>[] = [];
    const [kept, gitless] = await both(
      runDemo([...rung, merged, "--keep"]),
      runDemo([...rung, hers, "--json"], { isNobody: isRoot, env }),
    );
    expect(kept.exit).toBe(0);
    const { files, lines, bytes, churn } = countRepository(merged);
    expect(kept.stdout).toContain(`Report: ${files} files, ${lines} lines, ${bytes} bytes`);
    expect(kept.stdout).toContain(`Churn: ${churn} lines changed`);
    expect(kept.stdout).not.toContain("\u001b");
    const printed = kept.stdout.split("\n").filter((line) => line.startsWith("  stint "));
    expect(printed.length).toBeGreaterThanOrEqual(6);
    for (const line of printed) lookers.push(expectWorks(line));
    await Promise.all(lookers);
    expect(kept.left.filter((left) => left.startsWith("process"))).toEqual([]);
    expect(kept.left).toHaveLength(1);
    const { data } = expectPassed(gitless, "pid-namespace");
    expect(data.report).toMatchObject({ git: false, why_not: "absent", churn: null });
    expect(countsIn({ data })).toEqual({ ...countTree(hers), churn: null });
    expect(gitless.stderr).toContain("Churn: none, for there is no git on this machine");
  });

  test("[DM1][DM8][DM13] on the lowest rung, on a terminal, and as nobody", async () => {
    for (const name of ["git", "script"]) needsProgram(name);
    const clone = cloneOwn() ?? makeMergedRepository();
    const hers = makeRepository();
    if (isRoot) giveToNobody(hers);
    const words = ["--rung", "process-group", "--repo"];
    const shown = [process.execPath, await builtBin(), "demo", ...words, clone].join(" ");
    const env = { TERM: "xterm", NO_COLOR: "" };
    const command = ["script", "-qec", `stty cols 72 rows 30; ${shown}`, "/dev/null"];
    const [onTerminal, plain] = await both(
      runDemo([], { command, env }),
      runDemo([...words, hers, "--json"], { isNobody: isRoot }),
    );
    expect(onTerminal).toMatchObject({ exit: 0, left: [] });
    const { files, lines, bytes, churn } = countRepository(clone, { isPlain: true });
    expect(onTerminal.stdout).toContain(`Report: ${files} files, ${lines} lines, ${bytes} bytes`);
    expect(onTerminal.stdout).toContain(`Churn: ${churn} lines changed`);
    expectBoard(onTerminal.stdout);
    const answer = expectPassed(plain, "process-group");
    expect(countsIn(answer)).toEqual(countRepository(hers));
  });

  test("[DM9] where namespaces are forbidden it says so, and passes all the same", async () => {
    needs(isRoot, "who is not root cannot become nobody");
    needsProgram("bwrap");
    const closed = "bwrap --unshare-user --disable-userns --bind / / --proc /proc --dev /dev --";
    const options = { cwd: makeTree(), isNobody: true, within: closed.split(" ") };
    const [refused, passed] = await both(
      runDemo(["--rung", "pid-namespace"], options),
      runDemo(["--json"], options),
    );
    expect(refused).toMatchObject({ exit: 5, left: [] });
    expect(refused.stderr).toMatch(/the rung "pid-namespace" must work here, got: .+; allow user/);
    expectPassed(passed, "process-group");
    for (const rung of ["cgroup", "pid-namespace"])
      expect(passed.stderr).toContain(`The rung ${rung} does not work here: `);
  });
});

/** A line that is printed for looking around works as it is. */
async function expectWorks(line: string): Promise<void> {
  const [, ...args] = line.trim().split(" ");
  const called = await stint(args, { env: { NO_COLOR: "1" } });
  expect({ line, ...called }).toMatchObject({ exit: 0, stderr: "" });
  expect(called.stdout).not.toBe("");
}

/** A terminal when all is over: the board was there, and nothing is left of it. */
function expectBoard(text: string): void {
  expect(text).toMatch(/\[#+\.+\] \d+ of 29 checks, \d+ workers?, \d+ s/);
  expect(text).toMatch(/ {2}… [a-z]/);
  const end = text.slice(text.lastIndexOf("\u001b[J"));
  expect(end).not.toContain(" checks, ");
  expect(end).toContain("Everything happened");
}
