import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { startStint } from "../support/cli.ts";
import { makeSite, recordLife } from "./recorded.ts";

describe("[EX11] journal tail", () => {
  test("prints a line for each entry, and nothing that moves a terminal", async () => {
    const site = makeSite();
    const { refusedSeq } = await recordLife(site);
    const { stdout, exit } = await site.call(["journal", "tail", "-n", "100"]);
    expect(exit).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^ +1 {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ {2}fleet\.created +the fleet/,
    );
    expect(lines[refusedSeq - 1]).toMatch(
      /command\.refused +an operator asked for a worker "third"/,
    );
    expect(stdout).toContain(String.raw`look \u{1b}[2J\u{1b}[31mred\nfleet.killed`);
    expect(stdout).not.toContain("\u001B");
  });

  test("streams the entries themselves under --json, and then answers", async () => {
    const site = makeSite();
    const { receiptSeq } = await recordLife(site);
    const { stdout } = await site.call([
      "journal",
      "tail",
      "--since",
      String(receiptSeq),
      "--json",
    ]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ kind: "receipt.recorded", seq: receiptSeq });
    expect(lines[0].hash).toMatch(/^[0-9a-f]{64}$/);
    expect(lines[0].command.data.receipt.stopped_count).toBe(2);
    expect(lines.at(-1)).toMatchObject({ kind: "answer", ok: true });
    expect(lines.at(-1).data).toEqual({
      entry_count: lines.length - 1,
      head_seq: lines.at(-2).seq,
    });
  });

  test("follows what another process writes, until it is interrupted", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const child = await startStint(["journal", "tail", "-n", "0", "-f", "--json"], {
      cwd: site.dir,
      env: site.env,
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    const first = lines.next();
    const heard = new AbortController();
    void first.then(() => heard.abort());
    // Repeated until it is heard: a follower begins at the end that it finds.
    for (let turn = 0; !heard.signal.aborted && turn < 500; turn += 1) {
      await fleet.pause({ reason: `turn ${turn}` });
      await fleet.resume();
      await Promise.race([first, wait(50)]);
    }
    // It may be the last that was written: nobody waits for another.
    expect(entryOf((await first).value).kind).toMatch(/^fleet\.(paused|resumed)$/);
    child.kill("SIGINT");
    expect(await closed).toBe(130);
  });

  test("of --tail 0 nothing is shown, and where there is no fleet that is said", async () => {
    const site = makeSite();
    const { exit, stderr } = await site.call(["journal", "tail"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("stint init");
  });
});

describe("[EX30] journal tail of a worker and a kind", () => {
  /** The entries that a call shows, as `seq kind`. */
  async function shown(site: ReturnType<typeof makeSite>, ...args: readonly string[]) {
    const { stdout, exit } = await site.call(["journal", "tail", "--json", ...args]);
    expect(exit).toBe(0);
    const lines = stdout.trimEnd().split("\n").slice(0, -1);
    return lines.map((line) => `${JSON.parse(line).seq} ${JSON.parse(line).kind}`);
  }

  test("shows what is about the worker, or was asked for by it, dead or alive", async () => {
    const site = makeSite();
    const { workers } = await recordLife(site);
    const [main, child] = workers;
    const [ofMain, ofChild] = [
      await shown(site, "--worker", main),
      await shown(site, "--worker", child),
    ];
    const kindsOf = (lines: readonly string[]) => lines.map((line) => line.split(" ")[1]);
    const life = ["worker.stopping", "worker.stopped"];
    expect(kindsOf(ofChild)).toEqual(["worker.admitted", "worker.registered", ...life]);
    // Its child's admission was its to ask for; the child's end was not.
    const admissions = ["worker.admitted", "worker.registered", "worker.admitted"];
    expect(kindsOf(ofMain)).toEqual([...admissions, ...life]);
    expect(ofMain.filter((line) => ofChild.includes(line))).toEqual([ofChild[0]]);
    expect(await shown(site, "--worker", "main")).toEqual(ofMain);
    expect(await shown(site, "--worker", "main", "--kind", "worker.admitted")).toHaveLength(2);
  });

  test("shows the newest of what fits, not what fits of the newest", async () => {
    const site = makeSite();
    const { refusedSeq } = await recordLife(site);
    const refusal = `${refusedSeq} command.refused`;
    expect(await shown(site, "-n", "1", "--kind", "command.refused")).toEqual([refusal]);
    expect(await shown(site, "--kind", "command")).toEqual([refusal]);
    const [, newest] = await shown(site, "--kind", "worker.admitted");
    expect(await shown(site, "-n", "1", "--kind", "worker.admitted")).toEqual([newest]);
    expect(await shown(site, "-n", "0", "--kind", "worker.admitted")).toEqual([]);
    const since = ["--since", String(refusedSeq + 1)];
    expect(await shown(site, ...since, "--kind", "command.refused")).toEqual([]);
    expect(await shown(site, "--worker", "main", "--kind", "command.refused")).toEqual([]);
  });

  test("a worker that never was is not found, and a kind that is none is named", async () => {
    const site = makeSite();
    await recordLife(site);
    const unknown = await site.call(["journal", "tail", "--worker", "nobody", "--json"]);
    expect(unknown.exit).toBe(4);
    expect(unknown.json().refusal.code).toBe("worker_unknown");
    const wrong = await site.call(["journal", "tail", "--kind", "worker.stoped"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.stderr).toContain("did you mean worker.stopped?");
    // A beginning of a noun is none.
    expect((await site.call(["journal", "tail", "--kind", "work"])).exit).toBe(2);
  });

  test("follows with the same choice", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const args = ["journal", "tail", "-n", "0", "-f", "--json", "--kind", "fleet.resumed"];
    const child = await startStint(args, { cwd: site.dir, env: site.env });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    const first = lines.next();
    const heard = new AbortController();
    void first.then(() => heard.abort());
    for (let turn = 0; !heard.signal.aborted && turn < 500; turn += 1) {
      await fleet.pause();
      await fleet.resume();
      await Promise.race([first, wait(50)]);
    }
    expect(entryOf((await first).value).kind).toBe("fleet.resumed");
    child.kill("SIGINT");
    expect(await closed).toBe(130);
  });
});

test("[EX30] journal tail follows one worker, and shows nothing of others", async () => {
  const site = makeSite();
  const fleet = await site.open({ cooldownMs: 0 });
  const [mine, other] = [await fleet.start({ name: "mine" }), await fleet.start({ name: "other" })];
  const args = ["journal", "tail", "-n", "0", "-f", "--json", "--worker", "mine"];
  const child = await startStint(args, { cwd: site.dir, env: site.env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const first = lines.next();
  const heard = new AbortController();
  void first.then(() => heard.abort());
  // Repeated until it is heard: a follower begins at the end that it finds.
  for (let turn = 0; !heard.signal.aborted && turn < 500; turn += 1) {
    await other.checkpoint({ turn });
    await mine.checkpoint({ turn });
    await Promise.race([first, wait(50)]);
  }
  const replica = await mine.maybeReplicate({ name: "replica", reason: "more" });
  if (!replica.ok) throw new Error("a third worker must fit");
  await replica.worker.checkpoint({ turn: "the replica's" });
  await other.checkpoint({ turn: "the other's" });
  await mine.checkpoint({ turn: "last" });
  const shown = [entryOf((await first).value)];
  while (shown.at(-1)?.command?.data?.state?.turn !== "last")
    shown.push(entryOf((await lines.next()).value));
  // What it asked for was its own to ask for, its replica's admission too.
  expect(new Set(shown.map(({ actor }) => actor.id))).toEqual(new Set([mine.id]));
  const kinds = shown.map(({ kind }) => kind).filter((kind) => kind !== "worker.checkpointed");
  expect(kinds).toEqual(["worker.admitted"]);
  child.kill("SIGINT");
  expect(await closed).toBe(130);
});

describe("[EX12] journal verify", () => {
  test("names the newest anchor of a journal that is whole", async () => {
    const site = makeSite();
    const { receiptSeq } = await recordLife(site);
    const told = await site.call(["journal", "verify", "--json"]);
    expect(told.exit).toBe(0);
    const { data, seq } = told.json();
    expect(data).toMatchObject({
      entry_count: seq,
      anchor_seq: receiptSeq,
      unanchored_count: seq - receiptSeq,
      key_trusted: true,
      state_same: true,
      redecided_seqs: [],
    });
    const shown = await site.call(["journal", "verify"]);
    expect(shown.stdout).toContain(`The newest anchor is entry ${receiptSeq}:`);
  });

  test("finds a byte that was changed, and names the entry", async () => {
    const site = makeSite();
    const { refusedSeq } = await recordLife(site);
    const db = new Database(join(site.stateDir, "journal.db"));
    const { name } = db
      .prepare<[], { name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'entr%'",
      )
      .get() ?? { name: "" };
    const text = db
      .prepare<[number], string>(`SELECT text FROM ${name} WHERE seq = ?`)
      .pluck()
      .get(refusedSeq);
    db.prepare(`UPDATE ${name} SET text = ? WHERE seq = ?`).run(
      String(text).replace('"third"', '"thirs"'),
      refusedSeq,
    );
    db.close();
    const told = await site.call(["journal", "verify", "--json"]);
    expect(told.exit).toBe(5);
    expect(told.json().error).toMatchObject({ code: "journal_corrupt" });
    expect(told.json().error.message).toContain(String(refusedSeq));
  });

  test("without the secret it says what the signatures are worth", async () => {
    const site = makeSite();
    await recordLife(site);
    const secret = readFileSync(join(site.stateDir, "secret"));
    writeFileSync(join(site.stateDir, "secret"), secret, { mode: 0o600 });
    const other = makeSite();
    mkdirSync(other.stateDir);
    for (const name of ["journal.db", "head"])
      if (existsSync(join(site.stateDir, name)))
        copyFileSync(join(site.stateDir, name), join(other.stateDir, name));
    const told = await other.call(["journal", "verify", "--json"]);
    expect(told.exit).toBe(0);
    expect(told.json().data).toMatchObject({ key_trusted: null });
    // A secret of another fleet is no word for this one.
    writeFileSync(join(other.stateDir, "secret"), "x".repeat(40), { mode: 0o600 });
    const foreign = await other.call(["journal", "verify", "--json"]);
    expect(foreign.exit).toBe(5);
    expect(foreign.json().error).toMatchObject({ code: "key_mismatch" });
  });
});

describe("[EX13] journal export", () => {
  test("writes a new file of this user's alone, and never over another", async () => {
    const site = makeSite();
    await recordLife(site);
    const file = join(site.dir, "backup.jsonl");
    const told = await site.call(["journal", "export", "backup.jsonl", "--json"]);
    expect(told.exit).toBe(0);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(told.json().data).toEqual({
      file,
      entry_count: lines.length - 1,
      size_bytes: statSync(file).size,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await site.call(["journal", "export", "backup.jsonl"]);
    expect(again.exit).toBe(2);
    expect(again.stderr).toContain("FILE must be a file that does not exist yet");
    const piped = await site.call(["journal", "export"]);
    expect(piped.stdout).toBe(readFileSync(file, "utf8"));
    expect((await site.call(["journal", "export", "--json"])).exit).toBe(2);
  });

  test("stops quietly when nobody reads on", async () => {
    const site = makeSite();
    await recordLife(site);
    const child = await startStint(["journal", "export"], { cwd: site.dir, env: site.env });
    child.stdout.destroy();
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    const exit = await new Promise<number | null>((resolve) => child.once("close", resolve));
    expect([exit, complaint]).toEqual([0, ""]);
  });
});

describe("[EX14] journal import", () => {
  test("takes an export over where there is no fleet, paused", async () => {
    const [from, to] = [makeSite(), makeSite()];
    await recordLife(from);
    const file = join(from.dir, "backup.jsonl");
    const { data } = (await from.call(["journal", "export", file, "--json"])).json();
    const told = await to.call(["journal", "import", file, "--json"]);
    expect(told.exit).toBe(0);
    expect(told.json().data).toMatchObject({
      state_dir: to.stateDir,
      entry_count: data.entry_count,
    });
    copyFileSync(join(from.stateDir, "secret"), join(to.stateDir, "secret"));
    const fleet = await to.open({ maxReplicas: 2 });
    expect(fleet.status).toBe("paused");
  });

  test("takes nothing over where there is one", async () => {
    const site = makeSite();
    await recordLife(site);
    const file = join(site.dir, "backup.jsonl");
    await site.call(["journal", "export", file]);
    const told = await site.call(["journal", "import", file, "--json"]);
    expect(told.exit).toBe(5);
    expect(told.json().error).toMatchObject({ code: "journal_forked" });
  });

  test("takes of a file that breaks off what it has only when that is accepted", async () => {
    const [from, to] = [makeSite(), makeSite()];
    await recordLife(from);
    const file = join(from.dir, "backup.jsonl");
    await from.call(["journal", "export", file]);
    const whole = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, `${whole.slice(0, 5).join("\n")}\n`);
    const told = await to.call(["journal", "import", file, "--json"]);
    expect(told.exit).toBe(5);
    expect(told.json().error).toMatchObject({ code: "journal_truncated" });
    const accepted = await to.call(["journal", "import", file, "--accept-truncated", "--json"]);
    expect(accepted.exit).toBe(0);
    expect(accepted.json().data).toMatchObject({ entry_count: 5, broken_off_at_line: 6 });
  });
});

/** A line of the stream, as far as tests look at it. */
interface Shown {
  readonly kind: string;
  readonly actor: { readonly id?: string };
  readonly command?: { readonly data?: { readonly state?: { readonly turn?: unknown } } };
}

function entryOf(line: unknown): Shown {
  return JSON.parse(String(line)) as Shown;
}
