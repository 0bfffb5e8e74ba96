import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, expect, test } from "vitest";
import { builtBin, type Answer } from "../support/cli.ts";
import { commandOf, isAlive, listDescendants } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 30_000 };

const HELD = ["lease", "with", "--region", "src/**", "--holder", "ann"];

async function leasesOf(ground: Ground): Promise<readonly Answer[]> {
  return (await ground.done(["lease", "ls", "--json"])).json().data.leases;
}

/** Begins a call and answers how it ends; its output is read to the end. */
async function begin(ground: Ground, args: readonly string[]) {
  const child = await ground.begin(args);
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (exit) => resolve(exit));
  });
  return { child, texts, ended };
}

test("[GV14] a command runs under a lease on its caller's streams", async () => {
  const ground = await makeGround();
  const script =
    'read line; echo "$line"; echo aside >&2; echo "$STINT_LEASE_ID $STINT_LEASE_FENCE"; ' +
    "cat $STINT_LEASE_TOKEN_FILE; stat -c %a:$STINT_LEASE_TOKEN_FILE " +
    '$STINT_LEASE_TOKEN_FILE; echo "<$STINT_LEASE_TOKEN>"; exit 7';
  const called = await ground.call([...HELD, "--", "sh", "-c", script], {
    stdin: "typed\n",
    env: { STINT_LEASE_TOKEN: "somebody-else's" },
  });
  expect(called).toMatchObject({ exit: 7, stderr: "aside\n" });
  const [typed, lease, token, file, other] = called.stdout.split("\n");
  expect([typed, other]).toEqual(["typed", "<>"]);
  expect(lease).toMatch(/^l-(\d+) \1$/);
  expect(token).toMatch(/^[a-z2-7]{52}$/);
  expect(file).toMatch(/^600:\//);
  // The token's folder goes with the command, and the lease is given back.
  expect(existsSync(dirname(file?.slice(4) ?? ""))).toBe(false);
  expect(await leasesOf(ground)).toEqual([]);
  const [id = ""] = lease?.split(" ") ?? [];
  const shown = (await ground.done(["lease", "show", id, "--json"])).json().data.lease;
  expect(shown).toMatchObject({ holder: "ann", ended: { how: "released" } });
});

test("[GV14] its exit is the command's own; with --json stdout is the answer's", async () => {
  const ground = await makeGround();
  const killed = await ground.call([...HELD, "--", "sh", "-c", "kill -9 $$"]);
  expect(killed.exit).toBe(137);
  const json = await ground.call([...HELD, "--json", "--", "sh", "-c", "echo out; exit 3"]);
  expect(json).toMatchObject({ exit: 3, stderr: "out\n" });
  expect(json.json()).toMatchObject({
    ok: true,
    data: { lease_id: expect.stringMatching(/^l-/), outcome: { exit_code: 3 } },
  });
  const none = await ground.call([...HELD, "--json", "--", "/no/such/program"]);
  expect(none.json().error.message).toMatch(/^COMMAND must be a program to run, got .+ENOENT/);
  expect(await leasesOf(ground)).toEqual([]);
});

test("[GV14] what is refused is not run", async () => {
  const ground = await makeGround();
  await ground.done(["lease", "acquire", "--region", "src/a", "--holder", "bob"]);
  const file = join(ground.dir, "ran");
  const refused = await ground.call([...HELD, "--json", "--", "touch", file]);
  expect(refused).toMatchObject({ exit: 3 });
  expect(refused.json()).toMatchObject({ refusal: { code: "conflict" } });
  expect(existsSync(file)).toBe(false);
});

test("[GV15] the lease is renewed while the command runs longer than it lasts", async () => {
  const ground = await makeGround();
  const file = join(ground.dir, "go");
  const loop = `until [ -e ${file} ]; do sleep 0.05; done`;
  // Long enough for a busy machine to renew it in time.
  const run = await begin(ground, [...HELD, "--ttl", "12s", "--", "sh", "-c", loop]);
  await expect.poll(async () => (await leasesOf(ground)).length, polling).toBe(1);
  const [first] = await leasesOf(ground);
  const { lease_id: id, expires_at_ms: endMs } = first;
  await expect.poll(() => Date.now() > endMs, polling).toBe(true);
  expect((await leasesOf(ground)).map(({ lease_id: now }) => now)).toEqual([id]);
  const touched = await ground.call(["lease", "check", "src/a", "--holder", "bob"]);
  expect(touched.exit).toBe(3);
  writeFileSync(file, "");
  expect(await run.ended).toBe(0);
  expect(await leasesOf(ground)).toEqual([]);
});

test("[GV16] when the lease is lost the whole group ends: the call is lease_ended", async () => {
  const ground = await makeGround();
  const marks = join(ground.dir, "marks");
  // The command gives way to SIGTERM; what it has started is deaf to it.
  const script =
    `trap 'echo told >> ${marks}; exit 0' TERM; ` +
    `(trap '' TERM; exec sleep 4711) & echo up >> ${marks}; while :; do sleep 0.05; done`;
  const args = [...HELD, "--json", "--grace", "30s", "--", "sh", "-c", script];
  const run = await begin(ground, args);
  await expect.poll(() => existsSync(marks), polling).toBe(true);
  await expect.poll(() => ground.processesWith("sleep 4711").length, polling).toBeGreaterThan(0);
  const [{ lease_id: id }] = (await leasesOf(ground)) as [Answer];
  await ground.done(["lease", "revoke", id, "--reason", "drill", "--yes"]);
  expect(await run.ended).toBe(3);
  expect(JSON.parse(run.texts.stdout)).toMatchObject({
    refusal: {
      code: "lease_ended",
      message: expect.stringMatching(/must be held on, it was revoked; the command was stopped$/),
      facts: { lease_id: id, is_stopped: true },
    },
  });
  expect(readFileSync(marks, "utf8")).toBe("up\ntold\n");
  await expect.poll(() => ground.processesWith("sleep 4711"), polling).toEqual([]);
});

test("[GV16] a lease that cannot be renewed has no command left when it lapses", async () => {
  const ground = await makeGround();
  const alive = join(ground.dir, "alive");
  // It is deaf, and says all the time that it lives.
  const script = `trap '' TERM; while :; do date +%s%3N > ${alive}; sleep 0.02; done`;
  const run = await begin(ground, [...HELD, "--ttl", "4s", "--", "sh", "-c", script]);
  await expect.poll(() => existsSync(alive), polling).toBe(true);
  // Nobody can write to the journal any more.
  const writer = new Database(join(ground.stateDir, "journal.db"));
  writer.exec("BEGIN IMMEDIATE");
  try {
    await expect.poll(() => ground.processesWith(alive), polling).toEqual([]);
  } finally {
    writer.exec("ROLLBACK");
    writer.close();
  }
  expect(await run.ended).toBe(3);
  const [lease] = (await ground.done(["lease", "ls", "--all", "--json"])).json().data.leases;
  expect(Number(readFileSync(alive, "utf8"))).toBeLessThan(lease.expires_at_ms);
});

test("[GV33] who kills `lease with` ends its command, and the lease lapses by time", async () => {
  const ground = await makeGround();
  const marks = join(ground.dir, "marks");
  // The command gives way to SIGTERM; what it has started is deaf to it.
  const script =
    `trap 'echo told >> ${marks}; exit 0' TERM; ` +
    `(trap '' TERM; exec sleep 4713) & echo $STINT_LEASE_TOKEN_FILE > ${marks}; ` +
    `while :; do sleep 0.05; done`;
  const args = [...HELD, "--ttl", "10s", "--grace", "1s", "--", "sh", "-c", script];
  const run = await begin(ground, args);
  await expect.poll(() => ground.processesWith("sleep 4713").length, polling).toBeGreaterThan(0);
  await expect.poll(() => existsSync(marks), polling).toBe(true);
  // Other calls have guardians of their own.
  const guardians = listDescendants(run.child.pid ?? 0).filter(({ pid }) =>
    commandOf(pid).includes("stint-guardian"),
  );
  expect(guardians).toHaveLength(1);
  const [lease] = (await leasesOf(ground)) as [Answer];
  run.child.kill("SIGKILL");
  await expect.poll(() => ground.processesWith("sleep 4713"), polling).toEqual([]);
  expect(Date.now()).toBeLessThan(lease.expires_at_ms);
  const [file = "", told] = readFileSync(marks, "utf8").split("\n");
  expect(told).toBe("told");
  // Neither its guardian nor the token is left.
  await expect.poll(() => guardians.filter(isAlive), polling).toEqual([]);
  expect(existsSync(dirname(file))).toBe(false);
  // Nobody has given it back; its time is what ends it.
  expect((await leasesOf(ground)).map(({ lease_id: id }) => id)).toEqual([lease.lease_id]);
  await expect.poll(async () => (await leasesOf(ground)).length, polling).toBe(0);
  const next = await ground.call(["lease", "acquire", "--region", "src/a", "--holder", "bob"]);
  expect(next.exit).toBe(0);
});

test("[GV17] an interrupt is passed on, and the lease released; a second one kills", async () => {
  const ground = await makeGround();
  const marks = join(ground.dir, "marks");
  const loop = "while :; do sleep 0.05; done";
  const polite = `trap 'echo int > ${marks}; exit 5' INT; : > ${marks}.up; ${loop}`;
  const first = await begin(ground, [...HELD, "--", "sh", "-c", polite]);
  await expect.poll(() => existsSync(`${marks}.up`), polling).toBe(true);
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(5);
  expect(readFileSync(marks, "utf8")).toBe("int\n");
  expect(await leasesOf(ground)).toEqual([]);

  const deaf = `trap ': > ${marks}.heard' INT; : > ${marks}.deaf; ${loop} # deaf-5`;
  const second = await begin(ground, [...HELD, "--", "sh", "-c", deaf]);
  await expect.poll(() => existsSync(`${marks}.deaf`), polling).toBe(true);
  second.child.kill("SIGINT");
  await expect.poll(() => existsSync(`${marks}.heard`), polling).toBe(true);
  second.child.kill("SIGINT");
  expect(await second.ended).toBe(137);
  expect(await leasesOf(ground)).toEqual([]);
  expect(ground.processesWith("deaf-5")).toEqual([]);
});
