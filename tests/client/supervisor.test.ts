import { existsSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { Fault } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { startSupervisor } from "../../src/client/start-supervisor.ts";
import { connectSupervisor } from "../../src/client/supervisor.ts";
import type { CommandOrder } from "../../src/ports/supervision.ts";
import { operatorSocketOf } from "../../src/system/places.ts";
import { makeFolder, rejectionOf } from "../library/rig.ts";
import { awaitGone, isAlive } from "../support/process-table.ts";
import { commandFor, endAfterwards, foundFleet, killOnTheSpot, supervised, tell } from "./rig.ts";

const halt = (id: string): CommandOrder => ({
  id,
  command: { kind: "halt.request", data: { handle: "h", reason: "because" } },
  by: { kind: "operator", via: "library" },
});

test("[RE1] where no supervisor ever ran there is none to connect to", async () => {
  const { dir } = await foundFleet();
  expect(await connectSupervisor({ stateDir: dir })).toBeUndefined();
  expect(await connectSupervisor({ stateDir: join(dir, "nowhere") })).toBeUndefined();
});

test("[RE1] a supervisor that was killed leaves a socket that nobody connects to", async () => {
  const { dir } = await foundFleet();
  const { row } = await supervised(dir);
  const socket = operatorSocketOf(dir);
  await killOnTheSpot(row);
  // The last of its threads lets the socket go, which may be after the process is seen dead.
  await expect.poll(() => isListening(socket)).toBe(false);
  expect(existsSync(socket)).toBe(true);
  expect(await connectSupervisor({ stateDir: dir })).toBeUndefined();
});

/** Whether anybody takes connections on a socket. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const line = connect(path, () => {
      line.destroy();
      resolve(true);
    });
    line.once("error", () => resolve(false));
  });
}

test("[RE1] a supervisor that runs is connected to and says how it is", async () => {
  const { dir, fleet } = await foundFleet();
  const { row } = await supervised(dir);
  const supervision = await connectSupervisor({ stateDir: dir });
  const status = await supervision?.status();
  await supervision?.close();
  expect(status).toMatchObject({ fleet: fleet.id, pid: row.pid, worker_count: 0 });
});

test("[RE2] of five that start a supervisor at once all are connected to one", async () => {
  const { dir } = await foundFleet();
  const start = () => startSupervisor({ stateDir: dir, command: commandFor() });
  const all = await Promise.all([start(), start(), start(), start(), start()]);
  const runs = await Promise.all(all.map(endAfterwards));
  expect(new Set(runs.map(({ row }) => row.pid)).size).toBe(1);
});

test("[RE2] what keeps a supervisor from serving is what its starter is told", async () => {
  const dir = makeFolder();
  const error = await rejectionOf(startSupervisor({ stateDir: dir, command: commandFor() }));
  expect(error).toBeInstanceOf(Fault);
  expect(error.code).toBe("journal_missing");
});

test("[RE2] a supervisor that breaks before it serves is told of with its last words", async () => {
  const { dir } = await foundFleet();
  const words = "console.error('no such luck'); process.exit(1)";
  const command = [process.execPath, "--eval", words, "--"] as const;
  const error = await rejectionOf(startSupervisor({ stateDir: dir, command }));
  expect(error.code).toBe("supervisor_unreachable");
  expect(error.message).toContain("no such luck");
});

test("[RE2] a program that is not there starts no supervisor", async () => {
  const { dir } = await foundFleet();
  const command = [join(dir, "nothing")] as const;
  const error = await rejectionOf(startSupervisor({ stateDir: dir, command }));
  expect(error.code).toBe("supervisor_unreachable");
});

test("[RE3] a command is answered with its entries, and again under the same id", async () => {
  const { dir } = await foundFleet();
  const { supervision } = await supervised(dir);
  const first = await supervision.submit(halt("once"));
  const again = await supervision.submit(halt("once"));
  expect(first).toMatchObject({ ok: true, entries: [{ kind: "halt.requested", id: "once" }] });
  expect(again).toEqual(first);
});

test("[RE3] a refusal is an answer, and what cannot be understood an InputError", async () => {
  const { dir } = await foundFleet();
  const { supervision } = await supervised(dir);
  const note = { worker: "w-aaaaaaaaaaaaaaaa", text: "x" };
  const command = { kind: "worker.note", data: note } as const;
  const answer = await supervision.submit({ ...halt("no"), command });
  expect(answer).toMatchObject({ ok: false, refusal: { code: "worker_unknown" } });
  const odd = { kind: "worker.note", data: { ...note, text: 5 } } as unknown as typeof command;
  const error = await rejectionOf(supervision.submit({ ...halt("odd"), command: odd }));
  expect(error.name).toBe("InputError");
  expect(error.message).toMatch(/text must be text of 1 to/);
});

test("[RE4] a supervisor that hangs is a fault by a deadline, for a kill a short one", async () => {
  const { dir } = await foundFleet();
  const { supervision, row } = await supervised(dir);
  tell(row, "SIGSTOP");
  const kill = { kind: "fleet.kill", data: { reason: "now" } } as const;
  const startedMs = performance.now();
  const error = await rejectionOf(supervision.submit({ ...halt("kill"), command: kill }));
  expect(error).toMatchObject({ code: "supervisor_unreachable", retryable: true });
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  const slow = await rejectionOf(supervision.submit(halt("slow")));
  expect(slow).toMatchObject({ code: "supervisor_unreachable", retryable: true });
  expect(isAlive(row)).toBe(true);
});

test("[RE4] a supervisor that dies with a command on its way is a fault at once", async () => {
  const { dir } = await foundFleet();
  const { supervision, row } = await supervised(dir);
  tell(row, "SIGSTOP");
  const submitted = rejectionOf(supervision.submit(halt("lost")));
  await killOnTheSpot(row);
  expect(await submitted).toMatchObject({ code: "supervisor_unreachable", retryable: true });
});

test("[RE4] a kept connection that was closed meanwhile is no fault", async () => {
  const { dir } = await foundFleet();
  // Takes one request on each connection and closes it, without saying that it will.
  const { served } = await standIn(dir, JSON.stringify({ ok: true, data: { workers: [] } }));
  const supervision = await connectSupervisor({ stateDir: dir });
  for (const count of [1, 2, 3]) {
    expect(await supervision?.leave({})).toEqual([]);
    expect(served()).toBe(count);
  }
  await supervision?.close();
});

test("[RE4] what is no answer of Stint's is a fault, not a decision", async () => {
  const { dir } = await foundFleet();
  await standIn(dir, "a page of somebody else's");
  const supervision = await connectSupervisor({ stateDir: dir });
  const error = await rejectionOf(Promise.resolve(supervision?.submit(halt("x"))));
  await supervision?.close();
  expect(error).toMatchObject({ code: "supervisor_unreachable", retryable: true });
});

test("[RE5] leaving answers who lives, and ends them only if it is told to", async () => {
  const { dir, fleet } = await foundFleet();
  const { supervision, row } = await supervised(dir);
  const worker = await fleet.start({ run: ["/bin/sleep", "600"] });
  expect(await supervision.leave({})).toEqual([worker.id]);
  expect(await supervision.leave({ stopGraceMs: 100 })).toEqual([]);
  expect(await awaitGone([row], 10_000)).toEqual([]);
  expect((await worker.ended()).status).toBe("stopped");
});

/** Somebody who listens where a supervisor would, and answers every request the same way. */
async function standIn(dir: string, body: string): Promise<{ readonly served: () => number }> {
  let count = 0;
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const server = createServer((socket) => {
    socket.once("data", () => {
      count += 1;
      socket.write(head + body, () => socket.end());
    });
    socket.on("error", () => undefined);
  });
  const socket = join(dir, "s");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => void server.close());
  writeFileSync(join(dir, "operator.token"), "token", { mode: 0o600 });
  writeFileSync(join(dir, "supervisor.json"), JSON.stringify({ socket }));
  return { served: () => count };
}
