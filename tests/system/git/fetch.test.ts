// Commits fetched from what a worker has left, and what git may use for it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createDeflate } from "node:zlib";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { fetchBrought } from "../../../src/system/git/fetch.ts";
import { runGit } from "../../../src/system/git/run.ts";
import { commandOf } from "../../support/process-table.ts";

const minute = 60_000;
const mib = 2 ** 20;

let dir = "";
beforeEach(() => {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "stint-fetch-")));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  dir = made;
});

function git(gitDir: string, ...args: readonly string[]): string {
  const as = ["-c", "user.name=w", "-c", "user.email=w@example.org", "--git-dir", gitDir];
  return execFileSync("git", [...as, ...args], { encoding: "utf8" }).trim();
}

/** A repository with a commit, and what a worker made of a copy of it. */
function makeRepository() {
  const [gitDir, from] = [join(dir, "ours"), join(dir, "w-1")];
  git(gitDir, "init", "--quiet", "--bare", "--initial-branch=main");
  const tree = git(gitDir, "hash-object", "-w", "-t", "tree", "/dev/null");
  git(gitDir, "update-ref", "refs/heads/main", git(gitDir, "commit-tree", tree, "-m", "first"));
  execFileSync("git", ["clone", "--quiet", "--bare", gitDir, from]);
  const between = join(dir, "w-1.between");
  return { gitDir, from, between, tree, namespace: "refs/stint/w-1" };
}

/** Writes a loose object that begins with a head and goes on with many equal bytes; its id. */
async function plant(
  from: string,
  so: { readonly kind: string; readonly head: string; readonly bytes: number },
): Promise<string> {
  const { kind, head, bytes } = so;
  const part = Buffer.alloc(mib, "a");
  const hash = createHash("sha1");
  const deflate = createDeflate({ level: 1 });
  const file = join(dir, "planted");
  const handle = await open(file, "w");
  const written = deflate.pipe(handle.createWriteStream());
  const write = async (chunk: Buffer | string): Promise<void> => {
    hash.update(chunk);
    if (!deflate.write(chunk)) await once(deflate, "drain");
  };
  await write(`${kind} ${head.length + bytes}\0${head}`);
  for (let left = bytes; left > 0; left -= mib) await write(part);
  deflate.end();
  await once(written, "close");
  const id = hash.digest("hex");
  mkdirSync(join(from, "objects", id.slice(0, 2)), { recursive: true });
  renameSync(file, join(from, "objects", id.slice(0, 2), id.slice(2)));
  return id;
}

test(
  "[GM36] an object that takes more memory than git may use is refused, and none is left",
  async () => {
    const repository = makeRepository();
    const { gitDir, from, tree } = repository;
    const who = "w <w@example.org> 1 +0000";
    const head = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\n`;
    const id = await plant(from, { kind: "commit", head, bytes: 900 * mib });
    writeFileSync(join(from, "refs/heads/bomb"), `${id}\n`);
    const fetched = await fetchBrought(repository);
    expect(fetched).toEqual({
      ok: false,
      why: expect.stringMatching(/^git [a-z-]+, within .* 768 MiB .*: .*Out of memory/i) as string,
    });
    expect(git(gitDir, "for-each-ref", "refs/stint")).toBe("");
    expect(() => git(gitDir, "cat-file", "-e", id)).toThrow("Command failed");
  },
  1 * minute,
);

/** Lets programs find another git first, for this test; `GIT` in its script is the real one. */
function install(script: string): void {
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const file = join(dir, "bin/git");
  mkdirSync(join(dir, "bin"));
  writeFileSync(file, `#!/bin/sh\n${script.replaceAll("GIT", real)}\n`);
  chmodSync(file, 0o755);
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = [join(dir, "bin"), before].join(delimiter);
  onTestFinished(() => {
    process.env["PATH"] = before;
  });
}

test(
  "[GM36] a file that is larger than git's memory is fetched",
  async () => {
    const repository = makeRepository();
    const { gitDir, from } = repository;
    const blob = await plant(from, { kind: "blob", head: "", bytes: 160 * mib });
    const tree = execFileSync("git", ["--git-dir", from, "mktree"], {
      input: `100644 blob ${blob}\tlarge\n`,
      encoding: "utf8",
    }).trim();
    const commit = git(from, "commit-tree", tree, "-p", "refs/heads/main", "-m", "large");
    git(from, "update-ref", "refs/heads/large", commit);
    install(`ulimit -d ${128 * 1_024}; exec GIT "$@"`);
    expect(await fetchBrought(repository)).toEqual({ ok: true, names: ["large"] });
    expect(git(gitDir, "cat-file", "-s", `refs/stint/w-1/large:large`)).toBe(String(160 * mib));
  },
  1 * minute,
);

test("[GM36] whatever git starts has the limits of git", async () => {
  install(`sh -c 'ulimit -d; ulimit -v; ulimit -S -t; ulimit -H -t'`);
  let said = "";
  await runGit({ args: ["version"], onOutput: (chunk) => (said += chunk.toString()) });
  expect(said.split("\n")).toEqual(["786432", "8388608", "90", "95", ""]);
});

/** A git that has a child, and never ends where it is to do something. */
function installHanging(verb: string): { readonly pids: () => readonly number[] } {
  const file = join(dir, "pids");
  install(`
case " $* " in *" ${verb} "*) ;; *) exec GIT "$@" ;; esac
tail -f /dev/null &
echo $$ $! > ${file}.new; mv ${file}.new ${file}; wait`);
  const pids = (): readonly number[] =>
    existsSync(file) ? readFileSync(file, "utf8").split(" ").map(Number) : [];
  return { pids };
}

test("[GM37] a fetch that is aborted ends with all that git has started", async () => {
  const repository = makeRepository();
  const { gitDir, from, between } = repository;
  git(from, "update-ref", "refs/heads/other", "refs/heads/main");
  const { pids } = installHanging("fetch");
  const abort = new AbortController();
  void vi.waitUntil(() => pids().length === 2).then(() => abort.abort(new Error("we leave")));
  await expect(fetchBrought({ ...repository, signal: abort.signal })).rejects.toThrow("we leave");
  await vi.waitUntil(() => pids().every((pid) => commandOf(pid) === ""));
  expect(existsSync(between)).toBe(false);
  expect(git(from, "for-each-ref")).toContain("other");
  expect(git(gitDir, "for-each-ref", "refs/stint")).toBe("");
  await expect(fetchBrought({ ...repository, signal: abort.signal })).rejects.toThrow("we leave");
});

test("[GM36] git that takes too long is ended with all that it has started", async () => {
  const { pids } = installHanging("version");
  const run = runGit({ args: ["version"], withinMs: 500 });
  await expect(run).rejects.toThrow(/^git version, within .*: it took longer than 0.5 s$/);
  await vi.waitUntil(() => pids().every((pid) => commandOf(pid) === ""));
});
