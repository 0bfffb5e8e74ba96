// The published client: what it reads, when it asks again, and what it must not need.
import * as fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ClientProblem, logIn, StintClient, type FleetEvent } from "../../../src/client.ts";
import { EventReader } from "../../../src/client/http/event-source.ts";
import { pauseMs } from "../../../src/client/http/pause.ts";
import { frame } from "../../../src/server/events/frames.ts";

const PROBLEM = { type: "x", title: "x", status: 503, detail: "wait", code: "storage_busy" };

/** A `fetch` that gives these answers one after the other, and keeps what it was asked. */
function played(answers: readonly (() => Response)[]): {
  readonly fetch: typeof fetch;
  readonly asked: Request[];
} {
  const asked: Request[] = [];
  let at = 0;
  const give = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    asked.push(new Request(url, init));
    const answer = answers[at];
    at += 1;
    if (answer === undefined) throw new TypeError("nobody is there");
    return answer();
  };
  return { fetch: give, asked };
}

function client(fetch_: typeof fetch): StintClient {
  return new StintClient({ url: "http://127.0.0.1:1/", token: () => "secret", fetch: fetch_ });
}

test("[HC1] events come out as they went in, however they are cut into pieces", () => {
  const event = fc.record({ text: fc.string({ unit: "binary" }), id: fc.option(fc.nat()) });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat(97), { minLength: 1 }), (events, cuts) => {
      const sent = events.map(({ text, id }) =>
        frame("entry", { text: text.toWellFormed() }, id ?? undefined),
      );
      const bytes = Buffer.concat(sent);
      const reader = new EventReader();
      const found = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = 1 + (cuts[turn % cuts.length] ?? 0);
        found.push(...reader.read(bytes.subarray(at, at + size)));
        at += size;
      }
      const wanted = events.map(({ text, id }) => ({
        event: "entry",
        data: JSON.stringify({ text: text.toWellFormed() }),
        id: id === null ? undefined : String(id),
      }));
      expect(found).toEqual(wanted);
    }),
  );
});

test("[HC1] a flood without an end is refused", () => {
  const reader = new EventReader();
  const piece = new TextEncoder().encode(`data: ${"x".repeat(2 ** 20)}`);
  expect(() => {
    for (let turn = 0; turn < 8; turn += 1) reader.read(piece);
  }).toThrow(RangeError);
});

test("[HC2] what did not come through is given again under its key", async () => {
  const { fetch: send, asked } = played([
    () => Response.json({ ...PROBLEM, retryable: true }, { status: 503 }),
    () => {
      throw new TypeError("the line broke");
    },
    () => Response.json({ seq: 1, entries: [] }),
  ]);
  expect(await client(send).pause("x")).toEqual({ seq: 1, entries: [] });
  const keys = asked.map(({ headers }) => headers.get("Idempotency-Key"));
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).not.toBe("");
});

test("[HC2] a no is thrown as the problem that it is, and is not asked again", async () => {
  const problem = { ...PROBLEM, status: 404, code: "worker_unknown", retryable: false };
  const { fetch: send, asked } = played([() => Response.json(problem, { status: 404 })]);
  const thrown = await client(send)
    .worker("w-x/../y")
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ClientProblem);
  expect((thrown as ClientProblem).code).toBe("worker_unknown");
  expect(asked).toHaveLength(1);
  expect(new URL(asked[0]?.url ?? "").pathname).toBe("/v1/workers/w-x%2F..%2Fy");
});

test("[HC2] what no Stint has answered is a problem all the same", async () => {
  const { fetch: send } = played([() => new Response("<html>", { status: 404 })]);
  await expect(logIn("http://127.0.0.1:1", "code", { fetch: send })).rejects.toThrow(
    /must be one of Stint's, got 404 <html>/,
  );
});

function stream(pieces: readonly Uint8Array[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

test("[HC3] a stream that breaks is resumed after the newest entry, none twice", async () => {
  const open = (seq: number): Uint8Array => frame("open", { seq, bus: true });
  const entry = (seq: number): Uint8Array => frame("entry", { seq }, seq);
  const { fetch: send, asked } = played([
    () => stream([open(7), entry(8), entry(9)]),
    () => Response.json({ ...PROBLEM, retryable: true }, { status: 503 }),
    // One that does not know how far it had got.
    () => stream([open(8), entry(9), entry(10)]),
    () => Response.json({ ...PROBLEM, status: 401, code: "not_authorised" }, { status: 401 }),
  ]);
  const seen: FleetEvent[] = [];
  const following = (async () => {
    for await (const event of client(send).events()) seen.push(event);
  })();
  await expect(following).rejects.toThrow(ClientProblem);
  const seqs = seen.flatMap((event) => (event.kind === "entry" ? [event.entry.seq] : []));
  expect(seqs).toEqual([8, 9, 10]);
  expect(asked.map(({ headers }) => headers.get("Last-Event-ID"))).toEqual([null, "9", "9", "10"]);
});

test("[HC3] pauses grow to a bound, and are not the same for all", () => {
  expect([0, 1, 2, 20, 1_000].map((tries) => pauseMs(tries, () => 0))).toEqual([
    250, 500, 1_000, 15_000, 15_000,
  ]);
  expect(pauseMs(1, () => 1)).toBe(250);
});

const ROOT = join(import.meta.dirname, "../../..");

/** The files that are loaded with a file; types are not. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(ROOT, file), "utf8");
  const imports = text.matchAll(/^(?:import|export) (?!type\b)[^;]*? from "([^"]+)";/gms);
  for (const [, specifier = ""] of imports) {
    const path = specifier.startsWith(".") ? join(dirname(file), specifier) : specifier;
    if (existsSync(join(ROOT, path))) loadedWith(path, found);
    else found.add(specifier);
  }
  return found;
}

test("[HC4] it loads nothing but itself: no module of Node, no parser, no other room", () => {
  const others = [...loadedWith("src/client.ts")].filter(
    (path) => path !== "src/client.ts" && !path.startsWith("src/client/http/"),
  );
  expect(others).toEqual([]);
});
