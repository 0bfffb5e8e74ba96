import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DEMO_MS_MAX, removeCopy, runDemo } from "./program.ts";
import { gitIn, makeFolder, makeTree } from "./repository.ts";

afterAll(removeCopy);

/** When a demo is interrupted: at a text of its story, by signals, on a rung. */
const MOMENTS: readonly (readonly [string, readonly NodeJS.Signals[], string, number])[] = [
  ["A fleet on", ["SIGINT"], "best", 130],
  ["begins under its contract", ["SIGTERM"], "best", 143],
  ["running    analyst-1-1", ["SIGINT", "SIGINT"], "process-group", 130],
  ["running    wanderer", ["SIGINT", "SIGINT", "SIGINT"], "process-group", 130],
  ["running    sleeper", ["SIGQUIT"], "best", 131],
  ["QUARANTINE ticker", ["SIGHUP"], "best", 129],
  ["KILLED", ["SIGINT"], "best", 130],
  ["✓ a later spawn is refused", ["SIGINT", "SIGTERM"], "process-group", 130],
];

describe("the main job, broken off", { timeout: DEMO_MS_MAX }, () => {
  test("[DM3][DM11] by signals, at any moment, it leaves nothing behind", async () => {
    const cwd = makeTree();
    const breakOff = async ([text, signals, rung, expected]: (typeof MOMENTS)[number]) => {
      const unsent = [...signals];
      const { exit, left, stdout } = await runDemo(["--rung", rung, "--keep"], {
        cwd,
        onText(said, run) {
          // One after the other: of two that wait the system delivers one.
          const name = said.includes(text) ? unsent.shift() : undefined;
          if (name !== undefined) run.signal(name);
        },
      });
      expect({ text, exit, left }).toEqual({ text, exit: expected, left: [] });
      expect(stdout).not.toContain("Everything happened");
      expect(stdout).toContain(`Interrupted (${signals[0] ?? ""}): ending all.`);
      const end =
        signals.length > 2 ? "At once: all was ended" : "Everything of the demo was ended";
      expect(stdout.trimEnd().split("\n").at(-1)).toContain(end);
    };
    // Each is a fleet of its own: all at once they would be slower than a demo is patient.
    for (const some of [MOMENTS.slice(0, 4), MOMENTS.slice(4)])
      await Promise.all(some.map(breakOff));
  });

  test("[DM3] when nobody listens any more it ends everything, too, with 1", async () => {
    const { exit, left } = await runDemo([], {
      cwd: makeTree(),
      onText: (said, run) => (said.includes("admitted   analyst-1") ? run.unread() : undefined),
    });
    expect({ exit, left }).toEqual({ exit: 1, left: [] });
  });

  test("[DM1] what is not as it should be fails the run, the rest is told", async () => {
    const cwd = makeTree();
    // Somebody writes while the workers count: no report can be right about that file.
    const writing = setInterval(() => appendFileSync(join(cwd, "README.md"), "one more\n"), 5);
    try {
      const ran = await runDemo(["--json"], { cwd });
      expect(ran).toMatchObject({ exit: 1, left: [] });
      const { data } = ran.json();
      expect(data.passed).toBe(false);
      const missed = data.checks.filter(({ seen }: { readonly seen: boolean }) => !seen);
      expect(missed).toMatchObject([{ name: "bytes" }]);
      expect(ran.stderr).toContain("✗ and every byte: ");
      expect(ran.stderr).toContain("NOT everything was seen");
    } finally {
      clearInterval(writing);
    }
  });

  test("[DM4][DM15] what it cannot understand is said in a sentence, with exit 2", async () => {
    const cwd = makeTree();
    const bare = makeFolder();
    const empty = makeFolder();
    gitIn(empty, "init", "--quiet");
    const [missing, unknown, rung, nothing, untracked] = await Promise.all([
      runDemo(["--repo", join(cwd, "no-such-folder")], { cwd }),
      runDemo(["--repos", "x"], { cwd }),
      runDemo(["--rung", "highest"], { cwd }),
      runDemo(["--repo", bare], { cwd }),
      runDemo([], { cwd: empty }),
    ]);
    const sentence = `--repo must be a folder, got ${join(cwd, "no-such-folder")}`;
    expect(missing).toMatchObject({ exit: 2, left: [], stdout: "" });
    expect(missing.stderr).toContain(sentence);
    for (const { answer, words } of [
      { answer: nothing, words: `a folder with files (name another one), got none in ${bare}` },
      { answer: untracked, words: "a repository that tracks files (commit some, or name another" },
    ]) {
      expect(answer).toMatchObject({ exit: 2, left: [], stdout: "" });
      expect(answer.stderr).toContain(words);
    }
    expect(unknown).toMatchObject({ exit: 2, left: [] });
    expect(unknown.stderr).toContain("--repo");
    expect(rung).toMatchObject({ exit: 2, left: [] });
    expect(rung.stderr).toContain("--rung must be one of best, cgroup, pid-namespace");
  });
});
