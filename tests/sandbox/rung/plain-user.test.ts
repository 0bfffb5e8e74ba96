// As root: the same driver in a child process that is nobody, on a copy that nobody may read.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SandboxSpec } from "../../../src/ports/sandbox.ts";
import { needs, needsProgram } from "../../support/require-all.ts";
import { HeldPipe } from "../holding.ts";
import { type Case, ENCLOSED } from "../rungs.ts";
import { fixtures, marked } from "../state-folder.ts";

const repository = join(import.meta.dirname, "../../..");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-nobody-"));
  chmodSync(folder, 0o755);
  cpSync(join(repository, "src"), join(folder, "src"), { recursive: true });
  cpSync(fixtures, join(folder, "tests/sandbox/fixtures"), { recursive: true });
  cpSync(join(repository, "package.json"), join(folder, "package.json"));
  cpSync(process.execPath, join(folder, "node"));
  chmodSync(join(folder, "node"), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true }));

function idOf(name: string): number | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(":")[2]);
}

/** Runs the fixture parent.ts as nobody over a state folder; answers what it said. */
async function asNobody(
  on: Case,
  given: {
    run: readonly string[];
    fleet: string;
    state: string;
    spec?: Partial<SandboxSpec>;
    until: () => Promise<unknown>;
  },
): Promise<string> {
  const { run, fleet, state, spec = {}, until } = given;
  const options = { ...on.options, spec, hidden: [join(folder, "hidden")] };
  const fixture = join(folder, "tests/sandbox/fixtures/parent.ts");
  const args = [
    ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--", join(folder, "node")],
    [fixture, state, fleet, JSON.stringify(options), "2", ...run],
  ].flat();
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
  const child = spawn("setpriv", args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const all = Promise.all([text(child.stdout), text(child.stderr)]);
  await until();
  child.stdin.end();
  await exited;
  return (await all).join("\n");
}

test.each(ENCLOSED)("[RU18] a plain user has the rung $name, and is itself in it", async (on) => {
  needs(process.getuid?.() === 0, "only root can be nobody for a while");
  const uid = idOf("nobody");
  needs(uid !== undefined, 'there is no user "nobody"');
  needsProgram("setpriv");
  const fleet = `f-nobody-${process.pid}-${ENCLOSED.indexOf(on)}`;
  const [state, hidden] = [mkdtempSync(join(folder, "state-")), join(folder, "hidden")];
  chmodSync(state, 0o777);
  mkdirSync(hidden, { recursive: true });
  writeFileSync(join(hidden, "treasure"), "readable by everybody");
  const pipe = new HeldPipe(folder, `pipe-${ENCLOSED.indexOf(on)}`);
  chmodSync(pipe.path, 0o666);
  const look = `
    exec 9> "$0"
    id -u; ls "$1"; grep -E "CapEff|NoNewPrivs" /proc/self/status; umount "$1" 2>&1; ls "$1"
    unshare --user --map-root-user --mount sh -c 'umount "$0"; ls "$0"' "$1" 2>&1
    (setsid sh -c "exec sleep 60" &)
    echo "ready $(id -u)" >&9
    sleep 60`;
  const run = ["sh", "-c", look, pipe.path, hidden];
  const until = async (): Promise<void> => expect(await pipe.ready(2)).toEqual([uid, uid]);
  const said = await asNobody(on, { run, fleet, state, until });
  const { degraded, endings } = JSON.parse(said.trim().split("\n").at(-1) ?? "") as Record<
    string,
    unknown
  >;
  // Whoever is nobody here may make no control groups.
  const unheld = ["memory", "cpu", "processes"];
  const isLeasable = on.options.rung === "cgroup";
  expect(degraded).toEqual(isLeasable ? unheld : [...unheld, "leases"]);
  expect(endings).toMatchObject([
    { evidence: { grade: "observed" }, outcome: { killed_by: "parent", signal: "SIGKILL" } },
    { evidence: { grade: "observed" }, outcome: { killed_by: "parent", signal: "SIGKILL" } },
  ]);
  expect(await pipe.isReleased(10_000)).toBe(true);
  expect(marked(fleet)).toEqual([]);
  const output = readFileSync(join(state, "sandboxes/w-0/output.log"), "utf8");
  expect(output).toMatch(new RegExp(`^${uid}\nCapEff:\t0+\nNoNewPrivs:\t1\n`));
  expect(output).not.toContain("treasure");
});

test.each(ENCLOSED)(
  "[SB49][SB50] a plain user's worker writes where it may ($name)",
  async (on) => {
    needs(process.getuid?.() === 0, "only root can be nobody for a while");
    needsProgram("setpriv");
    const fleet = `f-writes-${process.pid}-${ENCLOSED.indexOf(on)}`;
    const [own, other] = [mkdtempSync(join(folder, "own-")), mkdtempSync(join(folder, "other-"))];
    // As it mostly lies: in the ground.
    const state = join(own, ".stint");
    mkdirSync(state);
    for (const path of [state, own, other]) chmodSync(path, 0o777);
    const pipe = new HeldPipe(own, "pipe");
    chmodSync(pipe.path, 0o666);
    const write = `
    for path in "$1" "$2" "$HOME" /tmp; do
      (echo x > "$path/written") 2> /dev/null && echo "yes $path" || echo "no $path"
    done > "$1/said"
    id -u >> "$1/said"
    ls "$HOME/package.json" >> "$1/said"
    exec 9> "$0"
    echo "ready $(id -u)" >&9
    sleep 60`;
    const run = ["sh", "-c", write, pipe.path, own, other];
    const until = async (): Promise<unknown> => pipe.ready(2);
    await asNobody(on, { run, fleet, state, until, spec: { writable: [own], cwd: own } });
    const said = readFileSync(join(own, "said"), "utf8").trim().split("\n");
    expect(said).toEqual([
      `yes ${own}`,
      `no ${other}`,
      `yes ${folder}`,
      "yes /tmp",
      `${idOf("nobody")}`,
      `${folder}/package.json`,
    ]);
    expect(readdirSync(folder)).not.toContain("written");
    expect(marked(fleet)).toEqual([]);
  },
);

test.each(ENCLOSED)(
  "[LH7] a plain user's worker has its limit of open files ($name)",
  async (on) => {
    needs(process.getuid?.() === 0, "only root can be nobody for a while");
    needsProgram("setpriv");
    const fleet = `f-files-${process.pid}-${ENCLOSED.indexOf(on)}`;
    const state = mkdtempSync(join(folder, "state-"));
    chmodSync(state, 0o777);
    const pipe = new HeldPipe(folder, `files-${ENCLOSED.indexOf(on)}`);
    chmodSync(pipe.path, 0o666);
    const look = `
    exec 9> "$0"
    ulimit -Hn; ulimit -Hn 101 || ulimit -Sn
    echo "ready $(id -u)" >&9
    sleep 60`;
    const run = ["bash", "-c", look, pipe.path];
    const until = async (): Promise<unknown> => pipe.ready(2);
    await asNobody(on, { run, fleet, state, until, spec: { limits: { open_files: 100 } } });
    const output = readFileSync(join(state, "sandboxes/w-0/output.log"), "utf8");
    expect(output).toMatch(/^100\n.*Operation not permitted\n100\n/);
  },
);
