import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Telling } from "../../src/demo/story.ts";
import { needsProgram } from "../support/require-all.ts";
import { commandOf, listProcesses } from "../support/process-table.ts";
import { countRepository, countTree } from "./counts.ts";
import { addLatinName, makeRepository, makeTree } from "./repository.ts";

const MAIN = resolve(import.meta.dirname, "../../src/demo/main.ts");
const DEMO_MS_MAX = 120_000;

/** What `--json` prints. */
interface Answer {
  readonly ok: boolean;
  readonly data: Telling;
}

/** A folder for temporary files of its own: other demos may run on this machine. */
let temporary: string;

beforeAll(() => {
  temporary = realpathSync(mkdtempSync(join(tmpdir(), "stint-demos-")));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function startDemo(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
  });
}

/** Runs the demo as `npm start` does; `onText` sees what it tells, as it tells it. */
async function runDemo(
  args: readonly string[],
  onText: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ran> {
  const child = startDemo(args);
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      onText(said[name], (signal) => child.kill(signal));
    });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...said };
}

/** State folders and processes of this file's demos, as the machine knows them. */
function remains(): { readonly folders: string[]; readonly commands: string[] } {
  const commands = listProcesses().map(({ pid }) => commandOf(pid));
  const folders = readdirSync(temporary);
  return { folders, commands: commands.filter((command) => command.includes(temporary)) };
}

describe("the main job", () => {
  test(
    "[DM1] on a repository everything happens, and the report is what other programs count",
    { timeout: DEMO_MS_MAX },
    async () => {
      needsProgram("git");
      const tree = makeRepository();
      try {
        const { code, stdout, stderr } = await runDemo(["--repo", tree.root, "--json"]);
        expect({ code, stderr }).toMatchObject({ code: 0 });
        const { ok, data } = JSON.parse(stdout) as Answer;
        expect(ok).toBe(true);
        const { files, lines, bytes, languages, churn, git } = data.report;
        const typescriptLines = languages["TypeScript"]?.lines;
        expect({ files, lines, bytes, churn, typescriptLines }).toEqual(countRepository(tree.root));
        expect(git).toBe(true);
        const codes = data.refusals.map((refusal) => refusal.code);
        for (const each of ["max_replicas", "max_depth", "cooldown", "stop_condition"])
          expect(codes).toContain(each);
        expect(data.receipt).toMatchObject({ proven: false, survivorCount: 0 });
        expect(data.journal).toMatchObject({ verified: true, replayed: true });
        expect(data.checks.every(({ seen }) => seen)).toBe(true);
        expect(remains()).toEqual({ folders: [], commands: [] });
      } finally {
        tree.remove();
      }
    },
  );

  test(
    "[DM2] a tree without git is analysed without churn, and it says so",
    { timeout: DEMO_MS_MAX },
    async () => {
      const tree = makeTree();
      try {
        const { code, stdout } = await runDemo(["--repo", tree.root]);
        expect({ code, stdout }).toMatchObject({ code: 0 });
        const counts = countTree(tree.root);
        expect(stdout).toContain(
          `Report: ${counts.files} files, ${counts.lines} lines, ${counts.bytes} bytes`,
        );
        expect(stdout).toContain("Churn: none, for the tree is not in git");
      } finally {
        tree.remove();
      }
    },
  );

  test(
    "[DM3] interrupted, it ends everything it started and removes its folder",
    { timeout: DEMO_MS_MAX },
    async () => {
      const tree = makeTree();
      let sent = false;
      try {
        const { code, stdout } = await runDemo(["--repo", tree.root], (text, kill) => {
          if (sent || !text.includes("analyst-2")) return;
          sent = true;
          kill("SIGINT");
        });
        expect({ code, stdout }).toMatchObject({ code: 130 });
        expect(remains()).toEqual({ folders: [], commands: [] });
      } finally {
        tree.remove();
      }
    },
  );

  test(
    "[DM3] when nobody listens any more it ends everything, too",
    { timeout: DEMO_MS_MAX },
    async () => {
      const tree = makeTree();
      const child = startDemo(["--repo", tree.root]);
      try {
        child.stdout.on("data", (text: Buffer) => {
          if (text.includes("analyst")) child.stdout.destroy();
        });
        await once(child, "exit");
        expect(remains()).toEqual({ folders: [], commands: [] });
      } finally {
        tree.remove();
      }
    },
  );

  test(
    "[DM7] names that are not UTF-8 are counted like any other",
    { timeout: DEMO_MS_MAX },
    async () => {
      needsProgram("git");
      const tree = makeRepository();
      try {
        addLatinName(tree.root);
        const { code, stdout } = await runDemo(["--repo", tree.root]);
        expect({ code, stdout }).toMatchObject({ code: 0 });
        const { files, lines, bytes, churn } = countRepository(tree.root);
        expect(stdout).toContain(`Report: ${files} files, ${lines} lines, ${bytes} bytes`);
        expect(stdout).toContain(`Churn: ${churn} lines changed`);
      } finally {
        tree.remove();
      }
    },
  );

  test("[DM4] what it cannot understand is said in a sentence, with exit 2", async () => {
    const missing = join(tmpdir(), "stint-no-such-folder");
    const { code, stderr } = await runDemo(["--repo", missing]);
    expect(code).toBe(2);
    expect(stderr).toContain(`--repo must be a folder, got ${missing}`);
    const unknown = await runDemo(["--repos", "x"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("--repo DIR");
  });
});
