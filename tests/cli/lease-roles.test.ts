// Leases as others than a lone operator meet them: through a supervisor, as a worker, all at once,
// and on a store that is busy.

import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, expect, test } from "vitest";
import { builtBin, type Answer, type Called } from "../support/cli.ts";
import { acquire, makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 30_000 };

const asked = (ground: Ground, ...words: readonly string[]): Promise<Called> =>
  ground.call([...words, "--json"]);

test("[GV18] a supervisor answers as the journal itself does, also when it is frozen", async () => {
  const ground = await makeGround();
  await ground.spawn("keeper");
  const { lease_id: id, token, fence } = await acquire(ground, "ann", "--region", "src/**");
  expect(await acquire(ground, "ann", "--region", "src/**")).toMatchObject({
    lease_id: id,
    token,
    fence,
    is_new: false,
  });
  const { stdout } = await ground.done(["journal", "export", "-"]);
  const granted = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).entry)
    .find((entry) => entry?.kind === "lease.granted");
  // The supervisor has marked what nothing but our word says.
  expect(granted.actor).toMatchObject({
    kind: "operator",
    via: "cli",
    claimed: ["host", "uid", "user"],
  });
  const conflict = await asked(ground, "lease", "acquire", "--region", "src/a", "--holder", "bob");
  expect(conflict.json()).toMatchObject({
    refusal: { code: "conflict", facts: { lease_id: id, witness: "src/a" } },
    seq: expect.any(Number),
  });
  const renewed = await asked(ground, "lease", "renew", id, "--token", token, "--ttl", "1h");
  expect(renewed.json().data).toMatchObject({ lease_id: id, fence, ttl_ms: 300_000 });
  const narrow = ["lease", "narrow", id, "--token", token, "--region", "src/a"];
  const narrowed = await asked(ground, ...narrow);
  expect(narrowed.json().data).toMatchObject({ region: ["src/a"] });
  ground.freezeSupervisor();
  // One that hangs is waited for as long as a command may take, and no longer.
  await ground.done(["lease", "release", id, "--token", token]);
  expect(await acquire(ground, "bob", "--region", "src/**")).toMatchObject({ is_new: true });
});

/** Finds the id of the first lease in a list. */
const FIRST_ID = String.raw`sed 's/.*"lease_id":"\(l-[0-9]*\)".*/\1/'`;

test("[GV19] a worker leases for itself, by its own token, and for nobody else", async () => {
  const ground = await makeGround();
  // What a worker of this fleet sees, as its own program calls it.
  const script = [
    "stint lease acquire --region 'src/**' --json",
    "stint lease acquire --region lib --holder $WHO --json",
    "stint lease acquire --region lib --holder w-zzzzzzzzzzzzzzzz --json",
    "stint lease acquire --region lib --holder ann --json",
    "stint lease ls --json",
    "stint lease check src/a --json",
    `stint lease renew $(stint lease ls --json | ${FIRST_ID}) --json`,
    "stint lease revoke l-9 --reason x --yes --json",
    "stint halt somebody --reason x --json",
    "stint lease with --region with/a --json -- sh -c 'echo $STINT_LEASE_ID'",
    "stint lease release l-1 --json",
  ];
  const bin = await builtBin();
  const program = script
    .map((line) => line.replaceAll(/(^|\(|-- )stint /g, `$1${process.execPath} ${bin} `))
    .map((line) => `${line}; echo "exit $?"`)
    .join("\n");
  const run = ["run", "--name", "self", "--network", "controller", "--env", "WHO=self"];
  const called = await ground.call([...run, "--", "sh", "-c", program]);
  const answers = called.stdout
    .trimEnd()
    .split(/\nexit (\d+)(?:\n|$)/)
    .filter((text) => text !== "");
  const told = Array.from({ length: answers.length / 2 }, (_, at): Answer => {
    return { ...JSON.parse(answers[2 * at] ?? "{}"), exit: Number(answers[2 * at + 1]) };
  });
  const self = told[0].data?.holder;
  expect(self).toMatch(/^w-/);
  expect(
    told.map(({ ok, exit, refusal, error }) => [ok, exit, refusal?.code ?? error?.code]),
  ).toEqual([
    [true, 0, undefined],
    [true, 0, undefined],
    [false, 3, "not_authorised"],
    [false, 2, "usage"],
    [true, 0, undefined],
    [true, 0, undefined],
    [true, 0, undefined],
    [false, 3, "not_authorised"],
    [true, 0, undefined],
    [true, 0, undefined],
    [false, 4, "lease_unknown"],
  ]);
  expect(told[0].data).toMatchObject({ holder_kind: "worker", token: null, region: ["src/**"] });
  expect(told[1].data).toMatchObject({ holder: self });
  expect(told[4].data.leases).toHaveLength(2);
  expect(told[5].data.paths).toMatchObject([{ allowed: true, reason: "held_by_you" }]);
  // It ended as it should: what it held is free.
  await expect
    .poll(async () => (await asked(ground, "lease", "ls")).json().data.leases, polling)
    .toEqual([]);
});

test("[GV20] of many calls at once each is answered, and one is granted (leases H55)", async () => {
  const ground = await makeGround();
  const calls = Array.from({ length: 8 }, (_, at) =>
    asked(ground, "lease", "acquire", "--region", "src/**", "--holder", `ci ${at}`),
  );
  const called = await Promise.all(calls);
  const told = called.map((one) => ({ exit: one.exit, stderr: one.stderr, ...one.json() }));
  expect(told.filter(({ ok }) => ok)).toHaveLength(1);
  for (const { ok, exit, refusal, stderr } of told)
    expect([exit, refusal?.code, stderr]).toEqual(ok ? [0, undefined, ""] : [3, "conflict", ""]);
  // Under one name they are one: all have the same lease.
  const same = await Promise.all(
    Array.from({ length: 4 }, () => acquire(ground, "one", "--region", "lib")),
  );
  expect(new Set(same.map(({ lease_id }) => lease_id)).size).toBe(1);
  expect(new Set(same.map(({ token }) => token)).size).toBe(1);
});

test("[GV21] a store that is busy is said to be, by its own exit (leases H16)", async () => {
  const ground = await makeGround();
  const { lease_id: id, token } = await acquire(ground, "ann", "--region", "a");
  const writer = new Database(join(ground.stateDir, "journal.db"));
  writer.exec("BEGIN IMMEDIATE");
  try {
    const verbs: readonly (readonly string[])[] = [
      ["lease", "release", id, "--token", token],
      ["lease", "renew", id, "--token", token, "--ttl", "1h"],
      ["lease", "acquire", "--region", "b", "--holder", "bob"],
      ["halt", "x", "--reason", "y"],
    ];
    const told = await Promise.all(verbs.map((words) => asked(ground, ...words)));
    for (const called of told) {
      expect(called).toMatchObject({ exit: 5, stderr: "" });
      expect(called.json()).toMatchObject({ error: { code: "storage_busy", retryable: true } });
    }
  } finally {
    writer.exec("ROLLBACK");
    writer.close();
  }
  // Nothing was half done: it is as it was, and goes on.
  await ground.done(["lease", "release", id, "--token", token]);
});
