import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { connectAsWorker } from "../../src/client/worker-connection.ts";
import type { WorkerDoor, WorkerSignal } from "../../src/ports/worker-door.ts";
import { makeFolder, rejectionOf } from "../library/rig.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** Somebody who answers where a worker's supervisor would, and the worker's way there. */
async function standIn(
  answer: Answer,
): Promise<{ readonly door: WorkerDoor; readonly served: () => number }> {
  const folder = join(makeFolder(), "w");
  mkdirSync(folder);
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "worker.sock"), resolve));
  writeFileSync(join(folder, "token"), "a-token\n", { mode: 0o600 });
  const door = await connectAsWorker(join(folder, "token"));
  onTestFinished(async () => {
    await door.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { door, served: () => count };
}

/** Hears signals until as many have come. */
function hear(door: WorkerDoor, count: number): Promise<readonly WorkerSignal[]> {
  const heard: WorkerSignal[] = [];
  return new Promise((resolve) => {
    const unlisten = door.listen((signal) => {
      heard.push(signal);
      if (heard.length < count) return;
      unlisten();
      resolve(heard);
    });
  });
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

test("[WK10] a worker that asks too often is held up and then answered", async () => {
  const { door, served } = await standIn((_, response, count) => {
    if (count === 1) response.writeHead(429, { "Retry-After": "0" }).end("{}");
    else response.end(line({ ok: true, data: {} }));
  });
  await door.beat();
  expect(served()).toBe(2);
});

test("[WK10] what breaks off is asked again, under the same id", async () => {
  const ids: unknown[] = [];
  const { door } = await standIn((request, response, count) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      ids.push((JSON.parse(text) as { readonly id: unknown }).id);
      if (count === 1) response.destroy();
      else response.end(line({ ok: true, data: { entries: [] }, seq: 7 }));
    });
  });
  const command = { kind: "halt.request", data: { handle: "h", reason: "r" } } as const;
  expect(await door.submit({ id: "one", command })).toEqual({ ok: true, seq: 7, entries: [] });
  expect(ids).toEqual(["one", "one"]);
});

test("[WK11] signals are heard in any pieces, and a broken line ends no stream", async () => {
  const { door } = await standIn((_, response) => {
    const quarantine = line({ kind: "interrupted", by: "quarantine" });
    response.write(line({ kind: "alive" }) + quarantine.slice(0, 9));
    setImmediate(() => {
      response.write(
        `${quarantine.slice(9)}not JSON\n${line({ kind: "interrupted", by: "magic" })}`,
      );
      response.write(line({ kind: "released" }));
    });
  });
  const heard = await hear(door, 2);
  expect(heard).toEqual([{ kind: "interrupted", by: "quarantine" }, { kind: "released" }]);
});

test("[WK11] a stream that breaks is taken up again", async () => {
  const { door, served } = await standIn((_, response, count) => {
    response.write(line({ kind: "alive" }));
    if (count < 3) return void response.destroy();
    response.write(line({ kind: "interrupted", by: "stop" }));
  });
  expect(await hear(door, 1)).toEqual([{ kind: "interrupted", by: "stop" }]);
  expect(served()).toBe(3);
});

test("[WK11] where the token is not taken any more the supervisor counts as gone", async () => {
  const { door, served } = await standIn((_, response) => {
    response.writeHead(401).end(line({ ok: false, error: { code: "not_authorised" } }));
  });
  expect(await hear(door, 1)).toEqual([{ kind: "gone" }]);
  expect(served()).toBe(1);
});

test("[WK12] the token is shown with every request, and one not taken is a fault", async () => {
  const shown: unknown[] = [];
  const { door } = await standIn((request, response) => {
    shown.push(request.headers.authorization);
    response.writeHead(401).end(line({ ok: false, error: { code: "not_authorised" } }));
  });
  expect(await rejectionOf(door.self())).toMatchObject({ code: "supervisor_unreachable" });
  expect(shown).toEqual(["Bearer a-token"]);
});
