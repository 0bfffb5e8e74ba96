import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { isListening } from "../../src/client/socket-line.ts";
import { operatorSocketOf } from "../../src/system/places.ts";
import { builtBin, type Called } from "../support/cli.ts";
import { awaitGone, isAlive, listProcesses } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

/** The kinds of the journal's entries with their actors, by the program itself. */
async function entriesOf(ground: Ground): Promise<readonly Record<string, never>[]> {
  const { stdout } = await ground.call(["journal", "export", "-"]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).entry)
    .filter((entry) => entry !== undefined);
}

/** How long a test looks for what is to come, ms. */
const polling = { timeout: 20_000 };

describe("down", () => {
  test("[CL21] a supervisor stays with its live workers until they are stopped", async () => {
    const ground = await makeGround();
    const spawned = (await ground.call(["spawn", "--json", "--", "sleep", "3600"])).json();
    expect(spawned).toMatchObject({ ok: true });
    const { worker_id: id } = spawned.data;
    const { supervisor } = (await ground.call(["where", "--json"])).json().data;
    expect(supervisor).toMatchObject({ fleet: ground.fleetId, worker_count: 1 });
    const rows = listProcesses().filter(({ pid }) => pid === supervisor.pid);
    expect(rows).toHaveLength(1);

    const refused = await ground.call(["down", "--json"]);
    expect(refused.exit).toBe(3);
    expect(refused.json().refusal).toMatchObject({
      code: "workers_live",
      facts: { workers: [id] },
    });
    expect((await ground.call(["down"])).stderr).toContain(id);

    const left = await ground.call(["down", "--stop", "--grace", "0s", "--json"]);
    expect(left.json()).toMatchObject({ ok: true, data: { supervisor_pid: supervisor.pid } });
    // Its answer says that nobody writes any more: the state folder may be copied now.
    expect(rows.filter(isAlive)).toEqual([]);
    expect((await ground.call(["workers", "--json"])).json().data.workers).toEqual([]);
    const again = (await ground.call(["down", "--json"])).json();
    expect(again.data).toEqual({ supervisor_pid: null, was_running: false });
  });

  test("[CL21] down answers when the supervisor has let go of the journal", async () => {
    const ground = await makeGround();
    // It ends when nobody else has the journal open: then the supervisor alone signs that, at last.
    const until = join(ground.dir, "until");
    await ground.done(["spawn", "--", "sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done', until]);
    writeFileSync(until, "");
    await expect
      .poll(async () => (await ground.done(["workers", "--json"])).json().data.workers, polling)
      .toEqual([]);
    const pid = ground.supervisorPid();
    const rows = listProcesses().filter((row) => row.pid === pid);
    const { promise: answered, resolve } = Promise.withResolvers<Called>();
    let isAnswered = false;
    // Held up: nobody else can write to the journal before this lets go of it.
    const writer = new Database(join(ground.stateDir, "journal.db"));
    writer.exec("BEGIN IMMEDIATE");
    void ground.call(["down", "--json"]).then((called) => {
      isAnswered = true;
      resolve(called);
    });
    await expect
      .poll(() => existsSync(join(ground.stateDir, "supervisor.json")), polling)
      .toBe(false);
    await expect.poll(() => isListening(operatorSocketOf(ground.stateDir)), polling).toBe(false);
    expect(await awaitGone(rows, 500)).toHaveLength(1);
    expect(isAnswered).toBe(false);
    writer.exec("ROLLBACK");
    writer.close();
    expect((await answered).json()).toMatchObject({ ok: true, data: { supervisor_pid: pid } });
    expect(await awaitGone(rows, 0)).toEqual([]);
    expect(existsSync(join(ground.stateDir, "journal.db-wal"))).toBe(false);
  });
});

describe("a worker at the command line", () => {
  test("[CL22] what is the operator's is refused and on record as the worker's", async () => {
    const ground = await makeGround();
    const bin = await builtBin();
    const inside = (...args: readonly string[]) =>
      ground.call(["run", "--", process.execPath, bin, ...args]);
    const killed = await inside("kill", "--reason", "mine", "--yes", "--json");
    expect(killed.exit).toBe(3);
    expect(killed.json()).toMatchObject({
      ok: false,
      refusal: { code: "not_authorised", facts: { command: "fleet.kill" } },
      seq: expect.any(Number),
    });
    const read = await inside("contract", "show", "--json");
    expect(read.exit).toBe(3);
    expect(read.json().refusal).toMatchObject({ code: "not_authorised" });
    const where = await inside("where", "--json");
    expect(where.json().data).toMatchObject({ fleet_id: ground.fleetId });
    const { data } = (await ground.call(["fleet", "show", "--json"])).json();
    expect(data.status).toBe("open");
    const refusals = (await entriesOf(ground)).filter(({ kind }) => kind === "command.refused");
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ actor: { kind: "worker", via: "socket" } });
  });

  test("[CL22] a worker whose supervisor is gone is no operator either", async () => {
    const ground = await makeGround();
    const before = await entriesOf(ground);
    for (const file of [join(ground.dir, "no/such/token"), ""]) {
      const env = { STINT_WORKER_TOKEN_FILE: file };
      for (const args of [["pause"], ["contract", "show"], ["journal", "tail"], ["init"]]) {
        const called = await ground.call([...args, "--json", "--fleet", ground.dir], { env });
        expect({ args, exit: called.exit }).toEqual({ args, exit: 3 });
        expect(called.json().refusal.code).toBe("not_authorised");
      }
    }
    expect(await entriesOf(ground)).toEqual(before);
  });
});
