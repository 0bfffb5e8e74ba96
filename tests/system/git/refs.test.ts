// References read from files that somebody hostile has written.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { makePrivateDir } from "../../../src/system/git/private-dir.ts";
import { readRefs } from "../../../src/system/git/refs.ts";

let dir = "";
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "stint-refs-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  dir = made;
});

const ID = "ab".repeat(20);
const OTHER = "cd".repeat(20);

function write(path: string, text: string): void {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), text);
}

test("loose references count before packed ones", async () => {
  write("packed-refs", `# pack-refs\n${ID} refs/heads/main\n${ID} refs/tags/v1\n^${OTHER}\n`);
  write("refs/heads/main", `${OTHER}\n`);
  write("refs/heads/deep/er", `${ID}\n`);
  expect(await readRefs(dir)).toEqual(
    new Map([
      ["refs/heads/main", OTHER],
      ["refs/tags/v1", ID],
      ["refs/heads/deep/er", ID],
    ]),
  );
});

test("[GM31] links, pipes, folders in their place and odd names are passed over", async () => {
  write("secret", `${ID}\n`);
  write("refs/heads/-x/ok", `${ID}\n`);
  for (const name of [".hid", "a..b", "a.lock", "a~1", "new\nline"])
    write(`refs/heads/${name}`, `${ID}\n`);
  symlinkSync("../../secret", join(dir, "refs/heads/link"));
  symlinkSync("heads", join(dir, "refs/tags"));
  execFileSync("mkfifo", [join(dir, "refs/heads/pipe")]);
  mkdirSync(join(dir, "packed-refs"));
  expect([...(await readRefs(dir)).keys()]).toEqual(["refs/heads/-x/ok"]);
});

test("[GM34] more lines than are looked at are refused", async () => {
  write("packed-refs", `${ID} x\n`.repeat(200_001));
  await expect(readRefs(dir)).rejects.toThrow("packed-refs has at most 200000 lines");
});

test("[GM34] folders in folders without end are refused", async () => {
  write(`refs/heads/${"d/".repeat(40)}x`, `${ID}\n`);
  await expect(readRefs(dir)).rejects.toThrow("folders lie at most 16 deep");
});

test("[GM34] others are served while much is looked at", async () => {
  mkdirSync(join(dir, "refs/heads"), { recursive: true });
  for (let n = 0; n < 5_000; n += 1) writeFileSync(join(dir, `refs/heads/.${n}`), "");
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await readRefs(dir);
  isOver = true;
  expect(turns).toBeGreaterThan(10);
});

test("a directory of one's own is made of a repository that git knows", async () => {
  const repository = join(dir, "original");
  const as = ["-c", "user.name=w", "-c", "user.email=w@example.org", "-C", repository];
  const git = (...args: readonly string[]): string =>
    execFileSync("git", [...as, ...args], { encoding: "utf8" }).trim();
  mkdirSync(repository);
  git("init", "--quiet", "--initial-branch=main");
  git("commit", "--quiet", "--allow-empty", "-m", "first");
  git("config", "core.fsmonitor", "/bin/false");
  const [gitDir, own] = [join(repository, ".git"), join(dir, "own")];
  expect(await makePrivateDir({ gitDir, dir: own, at: gitDir })).toBe(true);
  expect(await readRefs(own)).toEqual(await readRefs(gitDir));
  expect(() => git("--git-dir", own, "config", "core.fsmonitor")).toThrow("Command failed");
});
