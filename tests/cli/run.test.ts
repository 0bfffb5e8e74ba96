import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { awaitGone } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const NODE = process.execPath;

/** A program whose command line bears a mark by which the process table finds it. */
const sleeper = (mark: string): string[] => ["sh", "-c", `sleep 300 && : ${mark}`];

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
    const ran = await ground.call(["run", "--env", "GIVEN=a=b", "--", "env"], {
      env: { AWS_SECRET_ACCESS_KEY: "s3cret", TZ: "UTC" },
    });
    const names = ran.stdout.split("\n").map((line) => line.split("=", 1)[0]);
    expect(ran.stdout).toContain("GIVEN=a=b\n");
    expect(names).toContain("PATH");
    expect(names).toContain("TZ");
    expect(ran.stdout).not.toContain("s3cret");
    const token = /^STINT_WORKER_TOKEN_FILE=(.*)$/m.exec(ran.stdout)?.[1] ?? "";
    expect(token).not.toBe("");
    expect(ran.stdout).not.toMatch(/^STINT_(SECRET|SANDBOX)/m);
  });

  test("[CV43] a command that cannot be started, and one that is refused, say so", async () => {
    const ground = await makeGround();
    const missing = await ground.call(["run", "--json", "--", "/no/such/program"]);
    expect(missing.exit).toBe(5);
    expect(missing.json().error.code).toBe("sandbox_failed");
    await ground.call(["pause", "--reason", "drill"]);
    const refused = await ground.call(["run", "--json", "--", "true"]);
    expect(refused.exit).toBe(3);
    expect(refused.json().refusal.code).toBe("fleet_paused");
    const wrong = await ground.call(["run", "--cpu", "lots", "--", "true"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.stderr).toContain("--cpu must be a number of cores");
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
    child.stderr.resume();
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [exit] = (await once(child, "close")) as [number | null];
    expect(exit).toBe(130);
    expect(readFileSync(told, "utf8")).toBe("told\n");
    expect((await ground.call(["workers", "--json"])).json().data.workers).toEqual([]);
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

  test("[CV46] a run whose supervisor is killed ends, and leaves nothing of it", async () => {
    const ground = await makeGround();
    const child = await ground.begin(["run", "--json", "--", ...sleeper("orphan-5")]);
    child.stdin.end();
    await untilRunning(ground);
    ground.killSupervisor();
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(child, "close");
    const answer = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    expect(answer.data.worker_id).toMatch(/^w-/);
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
