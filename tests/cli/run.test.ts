import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin, stint } from "../support/cli.ts";
import { awaitGone } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const NODE = process.execPath;

/** A program whose command line bears a mark by which the process table finds it. */
const sleeper = (mark: string): string[] => ["sh", "-c", `sleep 300 && : ${mark}`];

/** How many connections there are to a supervisor, those included that it has not taken yet. */
function connectionCount({ stateDir }: Ground): number {
  const { socket } = JSON.parse(readFileSync(join(stateDir, "supervisor.json"), "utf8"));
  const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
  return lines.filter((line) => line.endsWith(socket)).length;
}

async function untilRunning(ground: Ground): Promise<void> {
  const look = async (): Promise<readonly string[]> => {
    const { workers } = (await ground.call(["workers", "--json"])).json().data;
    return workers.map(({ status }: { readonly status: string }) => status);
  };
  await expect.poll(look, { timeout: 20_000 }).toEqual(["running"]);
}

describe("a run passes on what its command does", () => {
  test("[CV40] output goes to its streams, and the exit code is the command's", async () => {
    const ground = await makeGround();
    const ran = await ground.call(["run", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    expect(ran).toMatchObject({ stdout: "out\n", stderr: "err\n", exit: 3 });
    const signalled = await ground.call(["run", "--", "sh", "-c", "kill -TERM $$"]);
    expect(signalled.exit).toBe(143);
  });

  test("[CV40] output that its stdout does not take is told, and is no success", async () => {
    const ground = await makeGround();
    const within = ["sh", "-c", 'exec "$0" "$@" > /dev/full'];
    const lost = await ground.call(["run", "--", "echo", "out"], { within });
    expect(lost.exit).toBe(5);
    expect(lost.stderr).toContain("stint: storage_full: stdout must take all of the output");
    const failed = await ground.call(["run", "--", "sh", "-c", "echo out; exit 7"], { within });
    expect(failed.exit).toBe(7);
    expect(failed.stderr).toContain("storage_full");
  });

  test("[CV40] every byte comes through, in order, also what is no text", async () => {
    const ground = await makeGround();
    const script = `
      let seed = 7;
      const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648) & 255;
      for (let i = 0; i < 200; i += 1)
        process.stdout.write(Buffer.from(Array.from({ length: 997 }, next)));
    `;
    const child = await ground.begin(["run", "--", NODE, "-e", script]);
    child.stdin.end();
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [exit] = (await once(child, "close")) as [number | null];
    let seed = 7;
    const expected = Buffer.from(
      Array.from({ length: 200 * 997 }, () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return seed & 255;
      }),
    );
    expect(exit).toBe(0);
    expect(Buffer.concat(chunks).equals(expected)).toBe(true);
  });

  test("[CV41] with --json the answer stands alone, and the output is in the log", async () => {
    const ground = await makeGround();
    const program = ["--", "sh", "-c", "echo out; echo err >&2; exit 4"];
    const silent = await ground.call(["run", "--json", ...program]);
    expect(silent.exit).toBe(4);
    expect(silent.stderr).toBe("");
    const answer = silent.json();
    expect(answer).toMatchObject({ ok: true, data: { outcome: { exit_code: 4 } } });
    expect(answer.data.worker_id).toMatch(/^w-[a-z2-7]{16}$/);
    const log = readFileSync(
      join(ground.stateDir, "output", `${answer.data.worker_id}.jsonl`),
      "utf8",
    );
    expect(log).toContain('"out\\n"');
    const teed = await ground.call(["run", "--json", "--tee", ...program]);
    expect(teed.stderr.split("\n").toSorted()).toEqual(["", "err", "out"]);
    expect(teed.json().ok).toBe(true);
  });

  test("[CV42] the command has the environment it was given, and no secrets", async () => {
    const ground = await makeGround();
    const ran = await ground.call(["run", "--env", "GIVEN=a=b", "--env", "NAMED", "--", "env"], {
      env: { AWS_SECRET_ACCESS_KEY: "s3cret", TZ: "UTC", NAMED: "on" },
    });
    expect(ran.stdout).toContain("NAMED=on\n");
    const names = ran.stdout.split("\n").map((line) => line.split("=", 1)[0]);
    expect(ran.stdout).toContain("GIVEN=a=b\n");
    expect(names).toContain("PATH");
    expect(names).toContain("TZ");
    expect(ran.stdout).not.toContain("s3cret");
    const token = /^STINT_WORKER_TOKEN_FILE=(.*)$/m.exec(ran.stdout)?.[1] ?? "";
    expect(token).not.toBe("");
    expect(ran.stdout).not.toMatch(/^STINT_(SECRET|SANDBOX)/m);
  });

  test("[CV14] what stint is given to read is not passed on, and that is said", async () => {
    const ground = await makeGround();
    const withInput = (input: string, ...words: string[]) =>
      ground.call(["run", ...words, "--", "cat"], { within: ["sh", "-c", `${input} "$@"`, "sh"] });
    const note = "stdin of the command is empty";
    expect(await withInput("printf x |")).toMatchObject({
      exit: 0,
      stdout: "",
      stderr: expect.stringContaining(note),
    });
    writeFileSync(join(ground.dir, "input"), "x");
    expect((await withInput("<input")).stderr).toContain(note);
    expect((await withInput("</dev/null")).stderr).toBe("");
    expect((await withInput("printf x |", "--json")).stderr).toBe("");
  });

  test("[CV43] a command that cannot be started, and one that is refused, say so", async () => {
    const ground = await makeGround();
    const missing = await ground.call(["run", "--json", "--", "/no/such/program"]);
    expect(missing.exit).toBe(5);
    expect(missing.json().error.code).toBe("sandbox_failed");
    const unknown = await ground.call(["run", "--", "nosuchcmd"]);
    expect(unknown.exit).toBe(5);
    const onPath = 'the program "nosuchcmd" must be on PATH, it was not found there';
    expect(unknown.stderr).toBe(`stint: sandbox_failed: ${onPath}\n`);
    writeFileSync(join(ground.dir, "plain"), "");
    const plain = await ground.call(["run", "--", "./plain"]);
    expect(plain.stderr).toContain('the program "./plain" must be executable, it is not\n');
    await ground.call(["pause", "--reason", "drill"]);
    const refused = await ground.call(["run", "--json", "--", "true"]);
    expect(refused.exit).toBe(3);
    expect(refused.json().refusal.code).toBe("fleet_paused");
    const wrong = await ground.call(["run", "--cpu", "lots", "--", "true"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.stderr).toContain("--cpu must be a number of cores");
  });

  test.each([
    ["--cpu", "0", "from 0.001 to 1000000.0"],
    ["--wall", "0s", "from 1ms to 720h"],
    ["--memory", "0B", "from 1B to 1024TiB"],
    ["--processes", "0", "from 1 to 10000000"],
    ["--name", "/x", '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit'],
  ])("[CV43] %s %s is refused as it was typed", async (flag, value, expected) => {
    const wrong = await stint(["run", flag, value, "--", "true"]);
    expect(wrong).toMatchObject({
      exit: 2,
      stderr: `stint: ${flag} must be ${expected}, got "${value}"\n`,
    });
  });

  test("[CV44] a command is ended when its wall time is over, and the run says so", async () => {
    const ground = await makeGround();
    const ran = await ground.call(["run", "--json", "--wall", "500ms", "--", ...sleeper("wall-7")]);
    expect(ran.json().data.outcome).toMatchObject({ timed_out: true });
    expect(ran.exit).toBe(137);
    expect(ground.processesWith("wall-7")).toEqual([]);
  });
});

describe("a run is interrupted", () => {
  test("[CV45] Ctrl-C stops the worker with its grace, and exits with 130", async () => {
    const ground = await makeGround();
    const told = join(ground.dir, "told");
    const trap = `trap 'echo told >> ${told}; exit 0' TERM`;
    const program = `${trap}; echo ready; while :; do sleep 0.05; done`;
    const child = await ground.begin(["run", "--", "sh", "-c", program]);
    child.stdin.end();
    let noted = "";
    child.stderr.on("data", (chunk: Buffer) => (noted += chunk.toString()));
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [exit] = (await once(child, "close")) as [number | null];
    expect(exit).toBe(130);
    expect(noted).toContain("again to kill it");
    expect(readFileSync(told, "utf8")).toBe("told\n");
    expect((await ground.call(["workers", "--json"])).json().data.workers).toEqual([]);
  });

  test("[CV45] by SIGTERM the worker is stopped, and nobody is offered a second one", async () => {
    const ground = await makeGround();
    const child = await ground.begin(["run", "--", "sh", "-c", "echo ready; exec sleep 300"]);
    child.stdin.end();
    let noted = "";
    child.stderr.on("data", (chunk: Buffer) => (noted += chunk.toString()));
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [exit] = (await once(child, "close")) as [number | null];
    expect(exit).toBe(143);
    expect(noted).not.toContain("again");
  });

  test("[CV45] a second Ctrl-C kills what does not listen", async () => {
    const ground = await makeGround();
    const program = `trap '' TERM INT; echo ready; while :; do sleep 0.05; done # deaf-9`;
    const child = await ground.begin(["run", "--grace", "60s", "--", "sh", "-c", program]);
    child.stdin.end();
    await once(child.stdout, "data");
    const rows = ground.processesWith("deaf-9");
    child.kill("SIGINT");
    await once(child.stderr, "data");
    child.kill("SIGINT");
    const [exit] = (await once(child, "close")) as [number | null];
    expect(exit).toBe(130);
    expect(await awaitGone(rows, 5_000)).toEqual([]);
  });

  test.each(["run", "spawn"])(
    "[CV48] a %s whose start is not answered is interrupted at once, and never starts",
    async (verb) => {
      const ground = await makeGround();
      await ground.spawn("first");
      const begun = join(ground.dir, "begun");
      const named = ["--run-id", "late-1"];
      ground.freezeSupervisor();
      const heldCount = connectionCount(ground);
      const child = await ground.begin([verb, "--json", ...named, "--", "touch", begun]);
      child.stdin.end();
      // One to see whether somebody listens, one to ask.
      await expect
        .poll(() => connectionCount(ground), { timeout: 20_000 })
        .toBeGreaterThanOrEqual(heldCount + 2);
      const closed = once(child, "close");
      child.kill("SIGINT");
      expect(await closed).toEqual([130, null]);

      process.kill(ground.supervisorPid(), "SIGCONT");
      await ground.spawn("second");
      const { workers } = (await ground.call(["workers", "--all", "--json"])).json().data;
      const names = workers.map(({ name }: { readonly name: string }) => name);
      expect(names).toEqual(["first", "second"]);
      expect(existsSync(begun)).toBe(false);
      // The name of the run is free for one that is not given up.
      await ground.done(["run", "--json", ...named, "--", "touch", begun]);
      expect(existsSync(begun)).toBe(true);
    },
  );

  test("[CL18] where says of a supervisor that hangs that it does", async () => {
    const ground = await makeGround();
    await ground.spawn("first");
    ground.freezeSupervisor();
    expect((await ground.done(["where"])).stdout).toMatch(/supervisor +one runs and does not/);
    const { data } = (await ground.done(["where", "--json"])).json();
    expect(data).toMatchObject({ supervisor: null });
    expect(data.supervisor_mute).toContain("must answer on");
  });

  test("[CV49] a killed fleet refuses a run without asking a supervisor that hangs", async () => {
    const ground = await makeGround();
    await ground.spawn("first");
    ground.freezeSupervisor();
    await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
    const refused = await ground.call(["run", "--json", "--", "true"], { callMs: 20_000 });
    expect(refused).toMatchObject({ exit: 3, signal: null });
    expect(refused.json().refusal.code).toBe("fleet_killed");
  });

  test("[CV46] a run whose supervisor is killed ends, and leaves nothing of it", async () => {
    const ground = await makeGround();
    const child = await ground.begin(["run", "--json", "--", ...sleeper("orphan-5")]);
    child.stdin.end();
    await untilRunning(ground);
    ground.killSupervisor();
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    expect(await once(child, "close")).toEqual([5, null]);
    const answer = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    expect(answer.error.code).toBe("supervisor_unreachable");
    expect(answer.error.message).toMatch(/as long as w-[a-z2-7]{16}, it was lost/);
    await expect.poll(() => ground.processesWith("orphan-5"), { timeout: 5_000 }).toEqual([]);
    expect((await ground.call(["workers", "--json"])).json().data.workers).toEqual([]);
  });
});

describe("a run has a name", () => {
  test("[CV47] the same run id and command mean the same worker, which ran once", async () => {
    const ground = await makeGround();
    const counted = join(ground.dir, "counted");
    const program = ["sh", "-c", `echo x >> ${counted}; echo hello; exit 5`];
    const run = (...words: string[]) =>
      ground.call(["run", "--json", "--run-id", "nightly-1", "--", ...words]);
    const [one, other] = await Promise.all([run(...program), run(...program)]);
    const again = await run(...program);
    for (const called of [one, other, again]) {
      expect(called.exit).toBe(5);
      expect(called.json().data.worker_id).toBe(one.json().data.worker_id);
    }
    expect(readFileSync(counted, "utf8")).toBe("x\n");
    const repeated = await ground.call(["run", "--run-id", "nightly-1", "--", ...program]);
    expect(repeated).toMatchObject({ stdout: "hello\n", exit: 5 });
    const mismatch = await run("true");
    expect(mismatch.exit).toBe(3);
    expect(mismatch.json().refusal.code).toBe("command_mismatch");
    expect(existsSync(counted)).toBe(true);
  });
});
