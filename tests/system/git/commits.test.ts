import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readCommits } from "../../../src/system/git/commits.ts";

/** An instant of whole seconds. */
const BEGAN_MS = 1_700_000_000_000;

interface Repository {
  readonly dir: string;
  git(...args: readonly string[]): string;
  /** Commits files so many seconds after the beginning. */
  commit(afterS: number, ...paths: readonly string[]): void;
}

function makeRepository(): Repository {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "stint-commits-")));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const at = (afterS: number): string => `@${BEGAN_MS / 1_000 + afterS} +0000`;
  const run = (args: readonly string[], env: Record<string, string> = {}): string =>
    execFileSync("git", ["-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", ...env },
    });
  run(["init", "--quiet", "--initial-branch=main"]);
  let count = 0;
  return {
    dir,
    git: (...args) => run(args),
    commit: (afterS, ...paths) => {
      for (const path of paths) {
        mkdirSync(join(dir, path, ".."), { recursive: true });
        writeFileSync(join(dir, path), String((count += 1)));
      }
      run(["add", "--all"]);
      const env = { GIT_COMMITTER_DATE: at(afterS), GIT_AUTHOR_DATE: at(afterS) };
      run(["commit", "--quiet", "--allow-empty", "--message=x"], env);
    },
  };
}

test("[SY23] commits are read with their time, their ref and what they change", async () => {
  const repository = makeRepository();
  repository.commit(-10, "old.txt");
  repository.commit(0, "src/a b.ts", "docs/ü\n.md");
  repository.commit(5);
  repository.git("checkout", "--quiet", "-b", "theirs");
  repository.commit(7, "src/worker.ts");
  repository.git("update-ref", "refs/stint/w-abcd/main", "theirs");
  repository.git("checkout", "--quiet", "main");
  repository.git("branch", "--quiet", "-D", "theirs");
  const stateDir = join(repository.dir, ".git/stint");
  mkdirSync(stateDir);
  const read = await readCommits({ stateDir, sinceMs: BEGAN_MS });
  const commits = read.ok ? read.commits : [];
  expect({ ...read, commits: null }).toEqual({ ok: true, commits: null, isCut: false });
  expect(commits.map(({ atMs, ref, paths }) => [atMs - BEGAN_MS, ref, paths])).toEqual([
    [5_000, "refs/heads/main", []],
    [0, "refs/heads/main", ["docs/ü\n.md", "src/a b.ts"]],
    [7_000, "refs/stint/w-abcd/main", ["src/worker.ts"]],
  ]);
  // The folder of a fleet beside its repository's `.git` is about the same repository.
  mkdirSync(join(repository.dir, ".stint"));
  expect(
    await readCommits({ stateDir: join(repository.dir, ".stint"), sinceMs: BEGAN_MS }),
  ).toEqual(read);
});

test("[SY24] nothing that a configuration names is run for reading commits", async () => {
  const repository = makeRepository();
  const trap = join(repository.dir, "trap");
  for (const key of ["core.pager", "core.fsmonitor", "diff.external", "gpg.program", "core.editor"])
    repository.git("config", key, `touch ${trap}; echo`);
  repository.git("config", "log.showSignature", "true");
  repository.git("config", "diff.text.textconv", `touch ${trap}; cat`);
  writeFileSync(join(repository.dir, ".gitattributes"), "* diff=text\n");
  repository.git("-c", "core.fsmonitor=false", "add", ".gitattributes");
  repository.git("-c", "core.fsmonitor=false", "commit", "--quiet", "--message=x");
  const stateDir = join(repository.dir, ".git/stint");
  mkdirSync(stateDir);
  const read = await readCommits({ stateDir, sinceMs: 0 });
  expect(read.ok && read.commits.length).toBe(1);
  expect(() => realpathSync(trap)).toThrow("ENOENT");
});

test("[SY25] where there is no repository, or git fails on it, that is said", async () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "stint-commits-")));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const stateDir = join(dir, ".stint");
  mkdirSync(stateDir);
  const why = "the fleet is about no repository";
  expect(await readCommits({ stateDir, sinceMs: 0 })).toEqual({ ok: false, why });
  expect(await readCommits({ sinceMs: 0 })).toEqual({ ok: false, why });
  const repository = makeRepository();
  repository.commit(0, "a");
  mkdirSync(join(repository.dir, ".git/stint"));
  rmSync(join(repository.dir, ".git/objects"), { recursive: true });
  const broken = await readCommits({ stateDir: join(repository.dir, ".git/stint"), sinceMs: 0 });
  expect(broken.ok ? "" : broken.why).toMatch(/^git log, within its limits /);
});
