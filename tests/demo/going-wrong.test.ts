import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { demandFiles } from "../../src/demo/stage/files.ts";
import { PATIENCE_MS } from "../../src/demo/stage/stage.ts";
import type { Answer } from "../support/cli.ts";
import { DEMO_MS_MAX, removeCopy, runDemo } from "./program.ts";
import { makeTree, write } from "./repository.ts";

const isRoot = process.getuid?.() === 0;

afterAll(removeCopy);

/** The names of checks, by whether they were seen. */
function namesIn({ data }: Answer, isSeen: boolean): readonly string[] {
  const checks: readonly { readonly name: string; readonly seen: boolean }[] = data.checks;
  return checks.filter(({ seen }) => seen === isSeen).map(({ name }) => name);
}

describe("the main job, where something goes wrong", { timeout: DEMO_MS_MAX }, () => {
  test("[DM1] a tree that changes meanwhile is told soon, and all else is checked", async () => {
    const cwd = makeTree();
    const ran = await runDemo(["--json"], {
      cwd,
      onText(said) {
        if (said.includes("as the root"))
          for (const name of ["src", "many"])
            rmSync(join(cwd, name), { recursive: true, force: true });
      },
    });
    expect(ran).toMatchObject({ exit: 1, left: [] });
    const answer = ran.json();
    expect(answer.data).toMatchObject({ passed: false, report: null });
    const { detail } = answer.data.checks.find(({ name }: Answer) => name === "files");
    expect(detail).toContain("the root ended early: the tree changed while it was analysed: ");
    expect(answer.data.duration_ms).toBeLessThan(PATIENCE_MS);
    // With the root its workers ended: there was nothing left to kill, which is told, too.
    const seen = ["supervised", "signed", "late", "late_process", "verified", "gone"];
    expect(namesIn(answer, true)).toEqual(expect.arrayContaining(seen));
    expect(ran.stderr).toContain("Report: none was handed in");
  });

  test("[DM1] an end that goes wrong is told check by check, and is no bug", async () => {
    const ran = await runDemo(["--json"], {
      cwd: makeTree(),
      onText(said) {
        const [, dir = ""] = /its state in (\S+)/.exec(said) ?? [];
        // Whoever comes now finds no journal.
        if (said.includes("✓ and is signed")) rmSync(join(dir, "journal.db"), { force: true });
      },
    });
    expect(ran).toMatchObject({ exit: 1, left: [] });
    const answer = ran.json();
    expect(answer.ok).toBe(true);
    expect(answer.data.checks).toHaveLength(29);
    expect(namesIn(answer, false)).toEqual(expect.arrayContaining(["late_process", "verified"]));
    expect(namesIn(answer, true)).toEqual(expect.arrayContaining(["bytes", "killed", "signed"]));
  });

  test("[DM1][DM2] what the user may not read is counted as such, and passes", async () => {
    const cwd = makeTree();
    write(cwd, "closed/secret.ts", "hidden\n");
    write(cwd, "secret.ts", "hidden\n");
    chmodSync(join(cwd, "closed"), 0);
    chmodSync(join(cwd, "secret.ts"), 0);
    const ran = await runDemo(["--json"], { cwd, isNobody: isRoot });
    chmodSync(join(cwd, "closed"), 0o700);
    expect({ ...ran, missed: namesIn(ran.json(), false) }).toMatchObject({
      exit: 0,
      left: [],
      missed: [],
    });
    expect(ran.json().data.report).toMatchObject({ unreadable: 1, closed_folders: 1 });
  });

  test("without a folder for temporary files it says so in a sentence", async () => {
    const env = { TMPDIR: "/nonexistent/stint" };
    const ran = await runDemo([], { cwd: makeTree(), env });
    expect(ran).toMatchObject({ exit: 5, left: [] });
    expect(ran.stderr).toContain(
      "storage_failed: a folder must be made for the demo in /nonexistent/stint (TMPDIR), got: ",
    );
  });

  test("[DM4] a tree without git of too many files is refused, not walked to its end", async () => {
    const root = makeTree();
    mkdirSync(join(root, "empty"));
    await expect(demandFiles(root, { git: false, except: "", filesMax: 3 })).rejects.toMatchObject({
      code: "limit_exceeded",
      problems: [{ path: "--repo", got: `more in ${root}` }],
    });
    const { paths } = await demandFiles(root, { git: false, except: "" });
    expect(paths.length).toBeGreaterThan(30);
  });
});
