import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openOutput } from "../../src/output/writer.ts";
import { startStint } from "../support/cli.ts";
import { makeSite, talkingRun, type Site } from "./recorded.ts";

/** A worker that was admitted, with an output as a supervisor writes it. */
async function writeOutput(
  site: Site,
  ...chunks: readonly (readonly ["stdout" | "stderr", string | Uint8Array])[]
): Promise<string> {
  const fleet = await site.open();
  const worker = await fleet.start({ name: "talker" });
  const sink = await openOutput(join(site.stateDir, "output"), worker.id);
  for (const [stream, chunk] of chunks) await sink.write(stream, Buffer.from(chunk));
  await sink.close();
  return worker.id;
}

const LINES = [
  ["stdout", "one\n"],
  ["stderr", "bad\n"],
  ["stdout", "two\nthree\n"],
  ["stderr", "worse\n"],
] as const;

describe("[EX15] logs", () => {
  test("prints each stream where it belongs, byte for byte", async () => {
    const site = makeSite();
    const id = await writeOutput(site, ...LINES);
    const told = await site.call(["logs", id]);
    expect(told).toMatchObject({ exit: 0, stdout: "one\ntwo\nthree\n", stderr: "bad\nworse\n" });
    const named = await site.call(["logs", "talker", "--stream", "stderr"]);
    expect(named).toMatchObject({ exit: 0, stdout: "", stderr: "bad\nworse\n" });
  });

  test.each([
    [0, ""],
    [1, "three\n"],
    [2, "two\nthree\n"],
    [9, "one\ntwo\nthree\n"],
  ])("begins with the last lines: --tail %d", async (count, expected) => {
    const site = makeSite();
    const id = await writeOutput(site, ...LINES);
    const told = await site.call(["logs", id, "--tail", String(count), "--stream", "stdout"]);
    expect(told.stdout).toBe(expected);
  });

  test("streams frames under --json, base64 where it is no text", async () => {
    const site = makeSite();
    const id = await writeOutput(site, ["stdout", "é\n"], ["stdout", Buffer.from([0xff, 0xfe])]);
    const lines = (await site.call(["logs", id, "--json"])).lines();
    expect(lines[0]).toMatchObject({ kind: "output", stream: "stdout", text: "é\n" });
    expect(lines[1]).toMatchObject({ kind: "output", base64: "//4=" });
    expect(lines.at(-1)).toMatchObject({
      kind: "answer",
      ok: true,
      data: { worker_id: id, size_bytes: 5 },
    });
  });

  test("follows until the worker has ended", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const worker = await fleet.start({ name: "talker" });
    const sink = await openOutput(join(site.stateDir, "output"), worker.id);
    await sink.write("stdout", Buffer.from("begun\n"));
    const child = await startStint(["logs", worker.id, "--follow"], {
      cwd: site.dir,
      env: site.env,
    });
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    let said = "";
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      resolve();
    });
    await begun;
    await sink.write("stdout", Buffer.from("ended\n"));
    await sink.close();
    await worker.shutdown("completed");
    expect(await closed).toBe(0);
    expect(said).toBe("begun\nended\n");
  });

  test("shows what a process wrote that no supervisor started", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const worker = await fleet.start({ name: "own", run: talkingRun("hello\n") });
    const child = await startStint(["logs", "own", "--follow"], { cwd: site.dir, env: site.env });
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    const first = await new Promise<string>((resolve) =>
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    );
    expect(first).toBe("hello\n");
    await fleet.stop(worker.id, { graceMs: 0 });
    expect(await closed).toBe(0);
  });

  test("finds the last that had a name, when none that lives has it", async () => {
    const site = makeSite();
    const fleet = await site.open();
    for (const text of ["first\n", "second\n"]) {
      const worker = await fleet.start({ name: "again" });
      const sink = await openOutput(join(site.stateDir, "output"), worker.id);
      await sink.write("stdout", Buffer.from(text));
      await sink.close();
      await worker.shutdown("completed");
    }
    await fleet.close();
    const told = await site.call(["logs", "again"]);
    expect(told).toMatchObject({ exit: 0, stdout: "second\n" });
  });

  test("of a worker that never was is not found", async () => {
    const site = makeSite();
    await writeOutput(site);
    const told = await site.call(["logs", "nobody", "--json"]);
    expect(told.exit).toBe(4);
    expect(told.json()).toMatchObject({ ok: false, refusal: { code: "worker_unknown" } });
    expect((await site.call(["logs", "talker", "--stream", "all"])).exit).toBe(2);
    // A command that named it was refused, and that is on record.
    const wrong = "w-aaaaaaaaaaaaaaaa";
    const note = ["worker", "note", wrong, "who is that", "--json"];
    expect((await site.call(note)).json().refusal.code).toBe("worker_unknown");
    const refused = await site.call(["logs", wrong, "--json"]);
    expect(refused).toMatchObject({ exit: 4 });
    expect(refused.json().refusal.code).toBe("worker_unknown");
  });
});
