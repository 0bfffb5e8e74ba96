// What a user types, and what is asked of every bench; the figures themselves are not tested.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BENCHES } from "../../bench/benches.ts";
import { run } from "../../bench/measure.ts";
import { typeOfMount } from "../../bench/report/machine.ts";
import { describeTarget } from "../../bench/report/verdict.ts";

const ROOT = join(import.meta.dirname, "../..");

const COURSE = { signal: new AbortController().signal, tell: () => undefined };

test("every target is in the table", () => {
  const targets = BENCHES.map(({ name, target }) => `${name} ${describeTarget(target)}`);
  expect(targets).toEqual([
    "admit+register, one caller ≥ 0.5 ×",
    "admit+register, 16 callers ≥ 5 ×",
    "replay: read, verify, fold ≥ 200,000",
    "fold alone ≥ 300,000",
    "opening 1,000,000 entries ≤ 1.2 ×",
    "compaction of 100,000: longest append beside it ≤ 1 ×",
    "what-if: 200,000 commands under another contract ≥ 50,000",
    "region: intersection of 4 segments ≤ 1 ×",
    "region: index of 100,000 leases ≤ 1 ×",
    "lease: decide at 10,000 live ≤ 3 ×",
    "lease: decide at 10,000 live, at all ≤ 1 ×",
    "lease: acquire+release, one caller ≥ 0.6 ×",
    "lease: acquire+release, 16 callers ≥ 5 ×",
    "lease: acquire+release after 1,000,000 entries ≥ 0.9 ×",
    "lease: 8 processes on 8 lanes, together ≥ 0.8 ×",
    "lease: 8 processes on 8 lanes, fewest/most ≥ 0.5",
    "lease: 8 processes waiting for one lane, together ≥ 0.5 ×",
    "lease: 8 processes waiting for one lane, fewest/most ≥ 0.8",
    "lease: from a release to the next holder ≤ 1 ×",
    "beats: 10,000 instances, hub, roll and pulse ≥ 50,000",
    "cold-lease: lease acquire at 10 entries ≤ 3 ×",
    "cold-lease: lease acquire at 1,000,000 entries ≤ 3 ×",
    "cold-workers: workers --json ≤ 3 ×",
    "contained-start: by an open handle ≤ 5 ×",
    "contained-run: stint run -- true ≤ 5 ×",
    "fences: ground given and taken ≤ 3 ×",
    "kill-200: sleeping, until none is alive ≤ 2 ×",
    "kill-200: sleeping, until all is proven ≤ 2 ×",
    "kill-1000: sleeping, until all is proven ≤ 2 ×",
    "kill-1000: forking, until all is proven ≤ 3 ×",
    "clients-16: commands through the supervisor ≥ 5 ×",
    "journal entry to an SSE client ≤ 1 ×",
    "GET /v1/workers, 10,000 workers ≤ 1 ×",
    "GET /v1/workers, unchanged ≤ 1 ×",
    "500 SSE clients at 100 events/s ≤ 1 ×",
    "pss-100: of all but the programs, per worker ≤ 1 ×",
    "idle-supervisor: cpu time ≤ 1 ×",
    "idle-supervisor: cpu time with 1,000 idle workers ≤ 1 ×",
  ]);
});

/** A bench that notes what is done with it. */
function noted(measure: () => Promise<number>) {
  const log: string[] = [];
  const note = async (word: string, figure: Promise<number>): Promise<number> => {
    log.push(word);
    return figure;
  };
  const bench = {
    name: "noted",
    unit: "ms",
    floorName: "one",
    target: { ratio: 2, better: "lower" },
    rounds: 2,
    prepare: async () => ({
      floor: () => note("floor", Promise.resolve(1)),
      measure: () => note("measure", measure()),
      close: async () => void log.push("close"),
    }),
  } as const;
  return { bench, log };
}

test("floor and measure are taken in turn, the first round for warmth", async () => {
  let figure = 0;
  const { bench, log } = noted(async () => (figure += 1));
  const result = await run(bench, COURSE);
  const round = ["floor", "measure"];
  expect(log).toEqual([...round, ...round, ...round, "close"]);
  expect(result).toMatchObject({
    measured: 2.5,
    rounds: [{ measured: 2 }, { measured: 3 }],
    error: null,
  });
});

test("a bench that breaks off is cleared up and told", async () => {
  const { bench, log } = noted(() => Promise.reject(new Error("bubblewrap must be there")));
  expect(await run(bench, COURSE)).toMatchObject({ error: "bubblewrap must be there" });
  expect(log.at(-1)).toBe("close");
});

test("the file system of a folder is that of the nearest mount above it", () => {
  const mountinfo = [
    "20 1 8:1 / / rw - ext4 /dev/sda1 rw",
    "21 20 0:5 / /tmp rw shared:1 - tmpfs tmpfs rw",
    "22 20 0:6 / /tmpfoo rw - xfs /dev/sdb rw",
  ].join("\n");
  expect(typeOfMount(mountinfo, "/tmp/a")).toBe("tmpfs");
  expect(typeOfMount(mountinfo, "/tmpfoo")).toBe("xfs");
  expect(typeOfMount(mountinfo, "/home")).toBe("ext4");
});

/** Calls what `npm run bench` runs, its temporary files in a folder of their own. */
function callBench(...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "stint-bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["bench/main.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([exit]) => ({ exit: exit as unknown, stdout, stderr }));
  return { child, ended, folder, stderr: () => stderr };
}

test("a bench called by its name prints the machine, the rounds and a verdict", async () => {
  const { exit, stdout } = await callBench("admit+register, one caller", "--json", "--rounds", "1")
    .ended;
  expect(exit).toBe(0);
  const answer = JSON.parse(stdout) as { readonly data: object };
  expect(answer.data).toMatchObject({
    machine: { node: process.version, core_count: expect.any(Number) as unknown },
    results: [{ rounds: [{}], verdict: "too few rounds", error: null }],
  });
});

test.each<[readonly string[], string]>([
  [["no such bench"], "no bench has no such bench in its name"],
  [["--fast"], "--fast"],
  [["--rounds", "0"], "--rounds must be a whole number from 1, got 0"],
])("what is not understood is said, with exit 2: %j", async (args, words) => {
  const { exit, stderr } = await callBench(...args).ended;
  expect(exit).toBe(2);
  expect(stderr).toContain(words);
});

test("Ctrl-C ends a bench, and leaves nothing of it behind", async () => {
  const { child, ended, folder, stderr } = callBench("admit+register, one caller");
  await expect.poll(() => stderr()).toContain("measuring");
  await expect.poll(() => readdirSync(folder).some((name) => name.startsWith("stint"))).toBe(true);
  process.kill(-(child.pid ?? 0), "SIGINT");
  const { exit } = await ended;
  expect(exit).toBe(130);
  expect(readdirSync(folder).filter((name) => name.startsWith("stint"))).toEqual([]);
});
