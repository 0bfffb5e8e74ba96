// A worker's git: its own directory in the place of the repository's, and what comes of it.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { commandOf } from "../../support/process-table.ts";
import type { Supervised } from "../rig.ts";
import { makeScene, type Scene } from "./scene.ts";

const polling = { timeout: 20_000 };

const as = ["-c", "user.name=w", "-c", "user.email=w@example.org"];

function git(scene: Scene, ...args: readonly string[]): string {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", [...as, ...args], { cwd: scene.at(), env, encoding: "utf8" }).trim();
}

/** A scene whose ground is a repository with a commit, in which `src/api/x` says "first". */
async function makeRepository(): Promise<{ scene: Scene; supervised: Supervised }> {
  const { scene, supervised } = await makeScene();
  rmSync(scene.at(".git"), { recursive: true });
  git(scene, "init", "--quiet", "--initial-branch=main");
  writeFileSync(scene.at("src/api/x"), "first\n");
  writeFileSync(scene.at(".gitignore"), "/.stint\n/run\n");
  git(scene, "add", ".");
  git(scene, "commit", "--quiet", "-m", "first");
  return { scene, supervised };
}

/** Runs a script as a worker that holds a region, to its end; answers its id. */
async function work(scene: Scene, script: string, region = "src/**"): Promise<string> {
  const gate = scene.at("go");
  const wait = `while ! [ -e ${gate} ]; do sleep 0.01; done; cd ${scene.at()} || exit 9`;
  const run = ["/bin/bash", "-c", `${wait}\nset -e\n${script}`];
  const id = await scene.rig.start(run);
  await scene.acquire(id, [region]);
  writeFileSync(gate, "");
  await scene.rig.end(id);
  return id;
}

const commit = `git ${as.join(" ")} commit --quiet -m`;

test("[GM30] a worker commits to a directory of its own, which is fetched", async () => {
  const { scene } = await makeRepository();
  const before = git(scene, "rev-parse", "HEAD");
  const id = await work(
    scene,
    `git log --format=%s | grep first
     test -z "$(git status --porcelain --untracked-files=no)"
     echo second > src/api/x; git add src; ${commit} second
     git switch --quiet -c other; echo third > src/api/x; git add src; ${commit} third`,
  );
  expect((await scene.rig.fleet.worker(id))?.end?.reason).toBe("completed");
  const subject = (ref: string): string => git(scene, "log", "-1", "--format=%s", ref);
  await expect.poll(() => git(scene, "for-each-ref", "refs/stint"), polling).toContain("other");
  expect(subject(`refs/stint/${id}/main`)).toBe("second");
  expect(subject(`refs/stint/${id}/other`)).toBe("third");
  expect(git(scene, "rev-parse", "HEAD")).toBe(before);
  expect(git(scene, "branch", "--format=%(refname)")).toBe("refs/heads/main");
  await expect.poll(() => readdirSync(scene.at(".stint/git")), polling).toEqual([]);
});

test("[GM30] what is stashed, tagged or at a detached HEAD comes in, on record", async () => {
  const { scene } = await makeRepository();
  const id = await work(
    scene,
    `for n in 1 2; do echo "stash $n" > src/api/x; git ${as.join(" ")} stash --quiet; done
     echo tagged > src/api/x; git add src; git switch --quiet --detach; ${commit} tagged
     git ${as.join(" ")} tag -a -m v1 v1; git tag v0 HEAD~1
     echo last > src/api/x; git add src; ${commit} last`,
  );
  const names = ["HEAD", "STASH", "STASH-1", "tags/v0", "tags/v1"];
  const refs = (): readonly string[] =>
    git(scene, "for-each-ref", "--format=%(refname)", "refs/stint").split("\n");
  await expect.poll(refs, polling).toEqual(names.map((name) => `refs/stint/${id}/${name}`));
  const said = (name: string): string => git(scene, "show", `refs/stint/${id}/${name}:src/api/x`);
  expect(said("HEAD")).toBe("last");
  expect(["STASH", "STASH-1"].map(said)).toEqual(["stash 2", "stash 1"]);
  expect(said("tags/v1")).toBe("tagged");
  const noted = async (): Promise<readonly unknown[]> =>
    (await scene.rig.entriesAbout(id, "worker.noted")).map(({ data }) => JSON.stringify(data));
  await expect.poll(noted, polling).toEqual([expect.stringContaining(`refs/stint/${id}: tags/v`)]);
});

test("[GM30] also where it holds all of the ground, and in a linked working tree", async () => {
  const { scene } = await makeRepository();
  git(scene, "worktree", "add", "--quiet", "-b", "side", "trees/side");
  const id = await work(
    scene,
    `echo second > top; git add top; ${commit} second
     cd trees/side; git log --format=%s | grep first
     echo side > src/api/x; git add src; ${commit} third`,
    "**",
  );
  await expect.poll(() => git(scene, "for-each-ref", "refs/stint"), polling).toContain("side");
  const subject = (ref: string): string => git(scene, "log", "-1", "--format=%s", ref);
  expect(subject(`refs/stint/${id}/main`)).toBe("second");
  expect(subject(`refs/stint/${id}/side`)).toBe("third");
  expect(git(scene, "log", "-1", "--format=%s", "side")).toBe("first");
});

test("[GM31] what a worker plants in its directory runs for nobody else", async () => {
  const { scene } = await makeRepository();
  const mark = scene.at("run/marked");
  const bad = scene.at("src/bad");
  writeFileSync(bad, `#!/bin/sh\ntouch ${mark}\n`);
  chmodSync(bad, 0o755);
  const id = await work(
    scene,
    `echo second > src/api/x; git add src; ${commit} second
     for name in core.fsmonitor core.sshCommand core.pager core.editor gc.recentObjectsHook \\
       uploadpack.packObjectsHook core.alternateRefsCommand filter.x.smudge filter.x.clean; do
       git config $name ${bad}
     done
     git config core.hooksPath ${scene.at("src")}
     mkdir -p .git/hooks; cp ${bad} .git/hooks/reference-transaction
     cp ${bad} .git/hooks/post-commit
     echo '* filter=x' > .git/info/attributes
     ln -s /etc/passwd .git/refs/heads/link`,
  );
  await expect.poll(() => git(scene, "for-each-ref", "refs/stint"), polling).toContain("main");
  expect(git(scene, "log", "-1", "--format=%s", `refs/stint/${id}/main`)).toBe("second");
  expect(git(scene, "for-each-ref", "refs/stint")).not.toContain("link");
  git(scene, "status");
  expect(existsSync(mark)).toBe(false);
});

test("[GM31] a directory that a worker has replaced brings nothing in", async () => {
  const { scene } = await makeRepository();
  const id = await work(
    scene,
    `echo second > src/api/x; git add src; ${commit} second
     rm -rf .git/refs .git/packed-refs; ln -s ${scene.at(".stint")} .git/refs || true
     printf '%s refs/heads/../../evil\\n%s refs/heads/ok\\n' $(printf 'a%.0s' {1..40}) nonsense \\
       > .git/packed-refs`,
  );
  await expect.poll(() => readdirSync(scene.at(".stint/git")), polling).toEqual([]);
  expect(git(scene, "for-each-ref", "refs/stint")).toBe("");
  expect((await scene.rig.fleet.worker(id))?.status).toBe("stopped");
});

test("[GM39] a worker puts nothing in the place of a submodule's .git", async () => {
  const { scene } = await makeRepository();
  const other = scene.at("run/other");
  mkdirSync(other, { recursive: true });
  git(scene, "init", "--quiet", other);
  git(scene, "-C", other, "commit", "--quiet", "--allow-empty", "-m", "its own");
  const add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
  git(scene, ...add, other, "libs/sub");
  git(scene, "commit", "--quiet", "-m", "a submodule");
  const before = readFileSync(scene.at("libs/sub/.git"), "utf8");
  const id = await work(
    scene,
    `set +e; touch libs/sub/x libs/y || exit 1
     echo gitdir: evil > libs/sub/.git; rm -f libs/sub/.git; mv libs/sub libs/moved; exit 0`,
    "libs/**",
  );
  expect((await scene.rig.fleet.worker(id))?.end?.reason).toBe("completed");
  expect(readFileSync(scene.at("libs/sub/.git"), "utf8")).toBe(before);
  expect(existsSync(scene.at("libs/sub/x"))).toBe(true);
});

test("[GM32] objects that are broken are refused, and what a worker had is kept", async () => {
  const { scene } = await makeRepository();
  const id = await work(
    scene,
    `tree=$(git write-tree)
     bad=$(printf 'tree %s\\nauthor x\\n\\nno date\\n' "$tree" |
       git hash-object -t commit --literally -w --stdin)
     echo "$bad" > .git/refs/heads/bad`,
  );
  const kept = join(scene.at(".stint/git"), `${id}.refused`);
  await expect.poll(() => existsSync(kept), polling).toBe(true);
  expect(git(scene, "for-each-ref", "refs/stint")).toBe("");
});

test.each([
  [
    "another repository in its alternates",
    "echo OTHER/.git/objects >> .git/objects/info/alternates",
  ],
  [
    "links among its objects",
    "cd .git/objects; for one in OTHER/.git/objects/??; do ln -s $one . || true; done; cd -",
  ],
  [
    "a link in the place of its objects",
    "rm -rf .git/objects; ln -s OTHER/.git/objects .git/objects",
  ],
  [
    "a pipe among its objects",
    "id=SECRET; mkdir -p .git/objects/${id:0:2}; mkfifo .git/objects/${id:0:2}/${id:2}",
  ],
])("[GM35] a worker fetches nothing of what it cannot read by %s", async (_what, script) => {
  const { scene } = await makeRepository();
  // A repository that the worker knows of and is not to read, with one commit.
  const other = scene.at("run/other");
  mkdirSync(other, { recursive: true });
  git(scene, "init", "--quiet", other);
  git(scene, "-C", other, "commit", "--quiet", "--allow-empty", "-m", "secret");
  const secret = git(scene, "-C", other, "rev-parse", "HEAD");
  const plant = script.replaceAll("OTHER", other).replaceAll("SECRET", secret);
  const id = await work(scene, `echo ${secret} > .git/refs/heads/x; ${plant}`);
  const kept = join(scene.at(".stint/git"), `${id}.refused`);
  await expect.poll(() => existsSync(kept), polling).toBe(true);
  expect(git(scene, "for-each-ref", "refs/stint")).toBe("");
  expect(() => git(scene, "cat-file", "-e", secret)).toThrow("Command failed");
});

test("[GM34] more branches than are fetched are kept, and bring nothing in", async () => {
  const { scene } = await makeRepository();
  const id = await work(
    scene,
    `echo second > src/api/x; git add src; ${commit} second
     head=$(git rev-parse HEAD)
     for n in $(seq 1001); do echo "create refs/heads/b$n $head"; done | git update-ref --stdin`,
  );
  const kept = join(scene.at(".stint/git"), `${id}.refused`);
  await expect.poll(() => existsSync(kept), polling).toBe(true);
  expect(git(scene, "for-each-ref", "refs/stint")).toBe("");
});

test("[GM33] what a dead supervisor had not fetched the next one does", async () => {
  const { scene } = await makeRepository();
  const left = scene.at(".stint/git/w-aaaaaaaaaaaaaaaa");
  mkdirSync(scene.at(".stint/git"), { recursive: true });
  git(scene, "clone", "--quiet", "--bare", ".", left);
  const tree = git(scene, "rev-parse", "HEAD^{tree}");
  const id = git(scene, "--git-dir", left, "commit-tree", tree, "-m", "left");
  git(scene, "--git-dir", left, "update-ref", "refs/heads/main", id);
  process.kill(scene.rig.about.pid, "SIGKILL");
  await scene.rig.supervise({ rung: "best" });
  const fetched = (): string => git(scene, "for-each-ref", "--format=%(objectname)", "refs/stint");
  await expect.poll(fetched, polling).toBe(id);
});

/** Lets supervisors that are started find a git that never fetches; the ids of its processes. */
function installHanging(): {
  readonly pids: () => readonly number[];
  readonly restore: () => void;
} {
  const dir = mkdtempSync(join(tmpdir(), "stint-hanging-"));
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const [file, path] = [join(dir, "pids"), process.env["PATH"] ?? ""];
  const script = `case " $* " in *" fetch "*) ;; *) exec ${real} "$@" ;; esac
tail -f /dev/null &
echo $$ $! > ${file}.new; mv ${file}.new ${file}; wait`;
  writeFileSync(join(dir, "git"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, "git"), 0o755);
  process.env["PATH"] = [dir, path].join(delimiter);
  const restore = (): void => {
    process.env["PATH"] = path;
  };
  onTestFinished(() => {
    restore();
    rmSync(dir, { recursive: true });
  });
  const pids = (): readonly number[] =>
    existsSync(file) ? readFileSync(file, "utf8").split(" ").map(Number) : [];
  return { pids, restore };
}

test("[GM37] who leaves waits for one fetch, ends it, and leaves it to the next", async () => {
  const { pids, restore } = installHanging();
  const { scene, supervised } = await makeRepository();
  const committed = scene.at("src/committed");
  const gate = scene.at("go");
  const script = `while ! [ -e ${gate} ]; do sleep 0.01; done; cd ${scene.at()}; set -e
echo second > src/api/x; git add src; ${commit} second; touch ${committed}; exec tail -f /dev/null`;
  const id = await scene.rig.start(["/bin/bash", "-c", script]);
  await scene.acquire(id, ["src/**"]);
  writeFileSync(gate, "");
  await expect.poll(() => existsSync(committed), polling).toBe(true);
  const stop = { worker: id, reason: "requested", tree: true, grace_ms: 3000 };
  expect((await scene.rig.command("worker.stop", stop)).body.ok).toBe(true);
  await expect.poll(pids, polling).toHaveLength(2);
  const began = performance.now();
  supervised.child.kill("SIGTERM");
  expect(await supervised.exited).toBe(0);
  expect(performance.now() - began).toBeLessThan(20_000);
  await expect.poll(() => pids().map(commandOf), polling).toEqual(["", ""]);
  expect(readdirSync(scene.at(".stint/git"))).toEqual([id]);
  const log = readFileSync(scene.at(".stint/supervisor.log"), "utf8");
  expect(log.split("commits are left to the next supervisor")).toHaveLength(2);
  restore();
  await scene.rig.supervise({ rung: "best" });
  await expect.poll(() => git(scene, "for-each-ref", "refs/stint"), polling).toContain("main");
  await expect.poll(() => readdirSync(scene.at(".stint/git")), polling).toEqual([]);
}, 60_000);
