// Guards that only show in passing: a header, a file's mode, a redirection, a queue.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StintClient } from "../../src/client.ts";
import { headersOf } from "../../src/server/guard/headers.ts";
import { openServerLog } from "../../src/server/log.ts";
import { OneByOne } from "../../src/server/routes/journal.ts";

test("[HA8] by TLS a browser is told to come by TLS alone, and else it is not", () => {
  expect(headersOf({ isTls: true })["Strict-Transport-Security"]).toBe("max-age=31536000");
  expect(headersOf({ isTls: false })["Strict-Transport-Security"]).toBeUndefined();
});

test("[UP6] the log that it makes is its owner's alone to read", () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-log-"));
  try {
    const file = join(folder, "up.log");
    const log = openServerLog(file);
    log.info("a line");
    log.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("[HC5] a client follows no redirection, which would take its token elsewhere", async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  const here = createServer((_, response) => {
    const { port } = elsewhere.address() as AddressInfo;
    response.writeHead(307, { Location: `http://127.0.0.1:${port}/` }).end();
  });
  try {
    for (const server of [elsewhere, here])
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
    const url = `http://127.0.0.1:${(here.address() as AddressInfo).port}`;
    await expect(new StintClient({ url, token: "stint_x" }).fleet()).rejects.toThrow(
      /redirect|fetch failed|line/i,
    );
    expect(seen).toEqual([]);
  } finally {
    for (const server of [elsewhere, here]) server.close();
  }
});

test("[HA9] few wait for an explanation, one is made at a time, for nobody who left", async () => {
  const line = new OneByOne();
  const gate = Promise.withResolvers<void>();
  const done: number[] = [];
  const leaving = new AbortController();
  const ask = (index: number): Promise<Response> =>
    line.run(index === 3 ? leaving.signal : new AbortController().signal, async () => {
      await gate.promise;
      done.push(index);
      return new Response("here");
    });
  const answers = Array.from({ length: 12 }, (_, index) => ask(index));
  leaving.abort();
  expect((await Promise.race(answers.slice(9))).status).toBe(429);
  gate.resolve();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  expect(done).toEqual([0, 1, 2, 4, 5, 6, 7]);
  expect((await ask(20)).status).toBe(200);
});
