import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { builtBin } from "../support/cli.ts";
import { makeSite, recordLife, type Site } from "./recorded.ts";

interface Examined {
  readonly checks: readonly { readonly name: string }[];
}

interface SegmentSaid {
  readonly name: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly problem?: string | null;
}

/** A fleet with a little of everything on record, all of it archived but the newest entry. */
async function archived(): Promise<Site & { readonly headSeq: number }> {
  const site = makeSite();
  await recordLife(site);
  const said = await site.call(["journal", "compact", "--keep", "0s", "--json"]);
  expect(said.exit).toBe(0);
  return { ...site, headSeq: said.json().seq as number };
}

async function segmentsOf(site: Site, ...more: readonly string[]): Promise<readonly SegmentSaid[]> {
  const said = await site.call(["archive", "ls", "--json", ...more]);
  return said.json().data["segments"] as readonly SegmentSaid[];
}

function segmentFile(site: Site): string {
  const folder = join(site.stateDir, "segments");
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".jsonl")) ?? "");
}

describe("[AX1] journal compact", () => {
  test("moves what is old enough, and says what", async () => {
    const site = makeSite();
    await recordLife(site);
    const young = await site.call(["journal", "compact"]);
    expect(young.stdout).toBe("Nothing was moved: all that is kept is younger.\n");
    const dry = await site.call(["journal", "compact", "--keep", "0s", "--dry-run"]);
    expect(dry.stdout).toMatch(
      /^\d+ entries, from 1 on, would be moved into the archive, the newest of 20\d\d-.*\.\n$/,
    );
    const dryJson = await site.call(["journal", "compact", "--keep", "0s", "--dry-run", "--json"]);
    const { seq, data } = dryJson.json();
    expect(data).toMatchObject({ dry_run: true, moved_count: 0, would_move_count: seq - 1 });
    expect(existsSync(join(site.stateDir, "segments"))).toBe(false);
    const done = await site.call(["journal", "compact", "--keep", "0s"]);
    expect(done.stdout).toMatch(/^\d+ entries moved into 1 segment \(.*\), the newest of 20/);
    const again = await site.call(["journal", "compact", "--keep", "0s", "--json"]);
    const none = { moved_count: 0, would_move_count: null, segments: [] };
    expect(again.json().data).toMatchObject(none);
    const last = await site.call(["journal", "compact", "--keep", "0s"]);
    expect(last.stdout).toBe(
      "Nothing was moved: the store has its newest entry alone, which stays.\n",
    );
  });

  test("says what has decided that nothing is moved", async () => {
    const site = makeSite();
    await recordLife(site);
    const typed = ["journal", "compact", "--keep-entries", "200", "--dry-run"];
    const dry = await site.call(typed);
    const { seq } = (await site.call([...typed, "--json"])).json();
    expect(dry.stdout).toBe(
      `Nothing would be moved: the store has ${seq} entries, 200 stay, and none is older than ` +
        "--keep.\n",
    );
    const plain = await site.call(["journal", "compact", "--dry-run"]);
    expect(plain.stdout).toBe("Nothing would be moved: all that is kept is younger.\n");
  });

  test("leaves as many of the newest as is said, and no less", async () => {
    const site = makeSite();
    await recordLife(site);
    const said = await site.call(["journal", "compact", "--keep-entries", "5", "--json"]);
    const { seq, data } = said.json();
    expect(data["until_seq"]).toBe((seq as number) - 5);
    expect((await segmentsOf(site)).at(-1)?.last_seq).toBe((seq as number) - 5);
  });

  test("is for the operator's eyes what it is for the record: nothing is lost", async () => {
    const site = await archived();
    const { stdout } = await site.call(["journal", "verify"]);
    expect(stdout).toContain(`${site.headSeq} entries: hashes and links are intact.`);
  });
});

describe("[AX8] a head that is signed, and no snapshot of it that can be used", () => {
  test("is signed anew, and then compacted: after a change of the form of snapshots", async () => {
    const site = makeSite();
    await recordLife(site);
    const db = new (loadSqlite())(join(site.stateDir, "journal.db"));
    db.prepare("UPDATE snapshots SET rules = rules - 1").run();
    db.close();
    await expectCompacted(site);
  });

  test("is signed anew, and then compacted: of a killed fleet that was imported", async () => {
    const site = makeSite();
    await recordLife(site);
    await site.call(["kill", "--reason", "over", "--yes"]);
    const file = join(dirname(site.dir), "dead.jsonl");
    await site.call(["journal", "export", file]);
    const dir = join(dirname(site.dir), "imported");
    mkdirSync(dir);
    const imported = await site.call(["journal", "import", file], { cwd: dir });
    expect(imported.exit).toBe(0);
    const stateDir = join(dir, ".stint");
    cpSync(join(site.stateDir, "secret"), join(stateDir, "secret"));
    await expectCompacted({
      ...site,
      stateDir,
      call: (args) => site.call(args, { cwd: dir }),
    });
  });
});

async function expectCompacted(site: Site): Promise<void> {
  const compact = ["journal", "compact", "--keep", "0s", "--json"];
  const said = await site.call(compact);
  expect([said.exit, said.stderr]).toEqual([0, ""]);
  const { seq, data } = said.json();
  expect(data["until_seq"]).toBe((seq as number) - 1);
  expect((await site.call(compact)).json().data).toMatchObject({ moved_count: 0 });
  expect((await site.call(["journal", "verify"])).exit).toBe(0);
}

test("[AX2] archive ls lists segments, and finds the one that is not what it was", async () => {
  const site = makeSite();
  await recordLife(site);
  expect((await site.call(["archive", "ls"])).stdout).toContain("Nothing is archived.");
  await site.call(["journal", "compact", "--keep", "0s"]);
  const listed = await site.call(["archive", "ls"]);
  expect(listed.stdout).toMatch(/^SEGMENT +ENTRIES +FROM +TO +SIZE\n0{15}1-\d{16}\.jsonl +\d+ /);
  expect((await segmentsOf(site, "--verify")).map(({ problem }) => problem)).toEqual([null]);
  rmSync(segmentFile(site));
  expect((await site.call(["archive", "ls"])).exit).toBe(0);
  const verified = await site.call(["archive", "ls", "--verify"]);
  expect(verified.exit).toBe(5);
  expect(verified.stdout).toContain("it is missing: put the file back");
});

test("[AX3] archive show prints a segment, or one entry, as tail does", async () => {
  const site = await archived();
  const [segment] = await segmentsOf(site);
  const tail = (await site.call(["journal", "tail", "-n", "500"])).stdout.split("\n");
  const { name = "" } = segment ?? {};
  const whole = await site.call(["archive", "show", name]);
  expect(whole.stdout.trimEnd().split("\n")).toEqual(tail.slice(0, segment?.last_seq));
  const one = await site.call(["archive", "show", "3"]);
  expect(one.stdout.trimEnd()).toBe(tail[2]);
  const [line = ""] = (await site.call(["archive", "show", "3", "--json"])).stdout.split("\n");
  expect(readFileSync(segmentFile(site), "utf8")).toContain(
    `"hash":"${(JSON.parse(line) as { hash: string }).hash}"}\n`,
  );
  for (const asked of [String(site.headSeq), "0", "nothing"]) {
    const wrong = await site.call(["archive", "show", asked]);
    expect([asked, wrong.exit]).toEqual([asked, 2]);
    expect(wrong.stderr).toContain("the name of a segment, or an entry up to");
  }
});

test("[AX4] tail, explain and verify say of what is archived what they said before", async () => {
  const site = makeSite();
  const { refusedSeq, workers } = await recordLife(site);
  const questions = [
    ["journal", "tail", "--since", "1", "--json"],
    ["journal", "tail", "--kind", "command.refused"],
    ["journal", "tail", "--worker", workers[1]],
    ["explain", String(refusedSeq)],
    ["worker", "show", workers[0], "--json"],
    ["journal", "export", "-"],
  ];
  const ask = async (): Promise<readonly string[]> => {
    const said: string[] = [];
    for (const question of questions) said.push((await site.call(question)).stdout);
    return said;
  };
  // Closed, so that its head is signed already and the compaction adds no entry.
  const before = await ask();
  await site.call(["journal", "compact", "--keep", "0s"]);
  expect((await segmentsOf(site)).length).toBe(1);
  expect(await ask()).toEqual(before);
});

describe("[AX5] archive restore", () => {
  test("makes a fleet of archive and journal elsewhere, paused, in a new epoch", async () => {
    const site = await archived();
    const to = join(dirname(site.dir), "restored");
    const said = await site.call(["archive", "restore", "--to", to]);
    expect(said.exit).toBe(0);
    cpSync(join(site.stateDir, "secret"), join(to, ".stint", "secret"));
    const shown = await site.call(["fleet", "show", "--json"], { cwd: to });
    expect(shown.json().data).toMatchObject({ status: "paused", epoch: 1 });
    const lines = async (cwd: string): Promise<readonly string[]> =>
      (await site.call(["journal", "export"], { cwd })).stdout.split("\n").slice(0, site.headSeq);
    expect(await lines(to)).toEqual(await lines(site.dir));
    const twice = await site.call(["archive", "restore", "--to", to]);
    expect(twice.exit).toBe(3);
    const there = join(to, ".stint");
    expect(twice.stderr).toMatch(
      /^stint: refused \(fleet_exists\): the folder must be one without/,
    );
    expect(twice.stderr).toContain(` entries in ${there}: name another folder`);
  });

  test("says what to type next, and that opens the fleet, however it is called", async () => {
    const site = await archived();
    const away = join(dirname(site.dir), "it's away");
    for (const source of [[], ["--from", join(site.stateDir, "segments")]]) {
      const to = join(away, `restored ${source.length}`);
      const said = await site.call(["archive", "restore", "--to", to, ...source]);
      const typed = said.stdout.split("\n").filter((line) => line.startsWith("  "));
      expect(typed).toHaveLength(2);
      expect(typed[1]).toMatch(/^ {2}stint --fleet '.*' resume$/);
      const begun = `stint() { '${process.execPath}' '${await builtBin()}' "$@"; }`;
      const options = { cwd: "/", env: { ...process.env, ...site.env }, encoding: "utf8" } as const;
      const script = [begun, "set -e", ...typed].join("\n");
      const opened = execFileSync("bash", ["-c", script], options);
      expect(opened).toContain("is open: it takes new workers and leases");
      expect(statSync(join(to, ".stint", "secret")).mode & 0o777).toBe(0o600);
    }
    const copy = join(dirname(site.dir), "copy");
    cpSync(join(site.stateDir, "segments"), join(copy, "segments"), { recursive: true });
    const to = join(away, "of a copy");
    const said = await site.call(["archive", "restore", "--to", to, "--from", `${copy}/segments`]);
    expect(said.stdout).toContain("  cp -p SECRET '");
  });

  test("leaves nothing in a folder whose repository has a fleet", async () => {
    const site = makeSite();
    execFileSync("git", ["init", "-q", site.dir]);
    await site.call(["init", site.dir]);
    const to = join(site.dir, "restored");
    const said = await site.call(["archive", "restore", "--to", to, "--json"]);
    expect(said.json()).toMatchObject({ ok: false, refusal: { code: "fleet_exists" } });
    expect(existsSync(to)).toBe(false);
  });

  test("takes whole decisions up to an entry, above all that is known", async () => {
    const site = await archived();
    const to = join(dirname(site.dir), "earlier");
    const said = await site.call(["archive", "restore", "--to", to, "--until", "3", "--json"]);
    expect(said.json().data).toMatchObject({ source_seq: site.headSeq });
    const { stdout } = await site.call(["journal", "tail", "--json"], { cwd: to });
    const recovered = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq: number; kind: string })
      .find(({ kind }) => kind === "fleet.recovered");
    expect(recovered?.seq).toBe(site.headSeq + 1);
    const none = await site.call([
      "archive",
      "restore",
      "--to",
      join(dirname(site.dir), "none"),
      "--until",
      String(site.headSeq + 1),
    ]);
    expect(none.exit).toBe(2);
    expect(existsSync(join(dirname(site.dir), "none", ".stint"))).toBe(false);
  });

  test("looks first whether a fleet is there, whatever it is made of", async () => {
    const site = await archived();
    const there = ["archive", "restore", "--to", site.dir];
    rmSync(segmentFile(site));
    const said = await site.call(there);
    expect([said.exit, said.stderr]).toEqual([3, expect.stringContaining("(fleet_exists)")]);
    expect((await site.call(["fleet", "show"])).exit).toBe(0);
  });

  test("takes a folder of segments alone, if it begins with the first entry", async () => {
    const site = await archived();
    const away = join(dirname(site.dir), "away");
    mkdirSync(away);
    cpSync(segmentFile(site), join(away, segmentFile(site).split("/").at(-1) ?? ""));
    const to = join(dirname(site.dir), "from-segments");
    const said = await site.call(["archive", "restore", "--from", away, "--to", to, "--json"]);
    expect(said.json().data).toMatchObject({ entry_seq: site.headSeq - 1 });
    const verified = await site.call(["journal", "verify", "--json"], { cwd: to });
    expect(verified.exit).toBe(0);
    const empty = join(dirname(site.dir), "empty");
    mkdirSync(empty);
    const none = await site.call(["archive", "restore", "--from", empty, "--to", `${to}-2`]);
    expect([none.exit, none.stderr]).toEqual([5, expect.stringContaining("it has none")]);
  });
});

test("[AX6] a killed fleet that is restored stays killed", async () => {
  const site = await archived();
  const copy = join(dirname(site.dir), "copy");
  mkdirSync(copy);
  cpSync(join(site.stateDir, "segments"), copy, { recursive: true });
  await site.call(["kill", "--reason", "over", "--yes"]);
  for (const source of [[], ["--from", copy]]) {
    const to = join(dirname(site.dir), `dead-${source.length}`);
    expect((await site.call(["archive", "restore", "--to", to, ...source])).exit).toBe(0);
    cpSync(join(site.stateDir, "secret"), join(to, ".stint", "secret"));
    const resumed = await site.call(["resume"], { cwd: to });
    expect([resumed.exit, resumed.stderr]).toEqual([3, expect.stringContaining("(fleet_killed)")]);
  }
});

test("[CO15] a segment that is missing does not keep what is newer from being shown", async () => {
  const site = makeSite();
  const { workers } = await recordLife(site);
  // The worker was admitted in what will be missing; an entry that names it is not.
  await site.call(["worker", "note", workers[0], "it has ended"]);
  await site.call(["journal", "compact", "--keep-entries", "3"]);
  rmSync(segmentFile(site));
  const noted = await site.call(["worker", "note", workers[0], "later", "--json"]);
  expect(noted.exit).toBe(5);
  const newest = await site.call(["journal", "tail", "-n", "3"]);
  expect([newest.exit, newest.stderr]).toEqual([0, ""]);
  expect(newest.stdout).toContain(workers[0]);
  const older = await site.call(["journal", "tail", "--worker", workers[0]]);
  expect([older.exit, older.stderr]).toEqual([5, expect.stringContaining("put the file back")]);
});

test("[AX10] a stop tells how somebody ended whose beginning is in a missing segment", async () => {
  const site = makeSite();
  const fleet = await site.open({ maxReplicas: 3 });
  const [one, other] = [await fleet.start({ name: "one" }), await fleet.start({ name: "other" })];
  await site.call(["worker", "note", other.id, "before"]);
  const ended = one.ended();
  await site.call(["journal", "compact", "--keep", "0s"]);
  rmSync(segmentFile(site));
  await one.checkpoint({ step: 2 });
  await one.charge({ units: { tokens: 5 } });
  const stopped = await fleet.stop(one.id);
  expect(stopped).toMatchObject({ stoppedCount: 1, survivorCount: 0, proven: true });
  expect(await ended).toMatchObject({
    id: one.id,
    name: "one",
    status: "stopped",
    state: { step: 2 },
    end: { reason: "requested", proven: true },
  });
  // Nobody has seen this one live: that it cannot be told is said.
  await other.shutdown();
  await expect(other.ended()).rejects.toMatchObject({ code: "archive_broken" });
  const logs = await site.call(["logs", one.id]);
  expect(logs.stderr).not.toContain("put the file back");
});

test("[AX11] why answers without a segment, and says from where on", async () => {
  const site = makeSite();
  const fleet = await site.open({});
  const region = ["src/**"];
  const first = await fleet.acquire({ region, holder: "anna" });
  await site.call(["journal", "compact", "--keep", "0s"]);
  rmSync(segmentFile(site));
  const refused = await fleet.tryAcquire({ region, holder: "ben" });
  expect([first.id, refused.ok]).toEqual([first.id, false]);
  const { seq } = fleet.metrics();
  const said = await site.call(["why", "src/a.ts", "--json"]);
  expect([said.exit, said.stderr]).toEqual([0, ""]);
  expect(said.json().data).toMatchObject({
    writable_by: "holders",
    refusals: [{ seq, by_lease: first.id }],
    events: [],
    missing: expect.stringContaining("put the file back") as string,
  });
  const from = said.json().data["searched_from_seq"] as number;
  expect(from).toBeGreaterThan(1);
  expect((await site.call(["why", "src/a.ts"])).stdout).toContain(
    `What happened before entry ${from} is not known: `,
  );
});

/** A fleet whose store was put back to before it went on and was compacted. */
async function putBack(more: (site: Site) => Promise<unknown>): Promise<Site> {
  const site = makeSite();
  await recordLife(site);
  const database = join(site.stateDir, "journal.db");
  const older = readFileSync(database);
  await site.call(["pause", "--reason", "one"]);
  await site.call(["resume"]);
  await more(site);
  writeFileSync(database, older);
  for (const name of ["-wal", "-shm"]) rmSync(`${database}${name}`, { force: true });
  return site;
}

interface Recovered {
  readonly kept: { readonly seq: number };
  readonly remembered: { readonly seq: number };
  readonly taken_up: { readonly from_seq: number; readonly to_seq: number } | null;
  readonly lost: { readonly from_seq: number; readonly to_seq: number } | null;
  readonly recovered: boolean;
}

describe("[AX12] fleet recover takes up what the segments beside the store have", () => {
  const recover = ["fleet", "recover", "--yes", "--json"];

  test("and gives up only what is beyond them", async () => {
    let exported = "";
    const site = await putBack(async (of) => {
      await of.call(["journal", "compact", "--keep", "0s"]);
      await of.call(["pause", "--reason", "two"]);
      exported = (await of.call(["journal", "export", "-"])).stdout;
    });
    const said = await site.call(recover);
    const { kept, remembered, taken_up: taken, lost } = said.json().data as unknown as Recovered;
    expect(said.exit).toBe(0);
    const [segment] = readdirSync(join(site.stateDir, "segments"));
    const toSeq = Number(segment?.slice(17, 33));
    expect(taken).toMatchObject({ from_seq: kept.seq + 1, to_seq: toSeq });
    expect(lost).toMatchObject({ from_seq: toSeq + 1, to_seq: remembered.seq });
    const now = (await site.call(["journal", "export", "-"])).stdout.split("\n");
    expect(now.slice(0, toSeq)).toEqual(exported.split("\n").slice(0, toSeq));
    expect((await site.call(["journal", "verify"])).exit).toBe(0);
    expect((await site.call(["journal", "compact", "--keep", "0s"])).exit).toBe(0);
    expect((await site.call(["archive", "ls", "--verify"])).exit).toBe(0);
    expect(readdirSync(join(site.stateDir, "segments"))).toContain(segment);
  });

  test("but not of another history, and says when one is broken", async () => {
    const site = await putBack((of) => of.call(["journal", "compact", "--keep", "0s"]));
    const path = segmentFile(site);
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(0, -9));
    const broken = await site.call(recover);
    expect([broken.exit, broken.stdout]).toEqual([5, expect.stringContaining(path)]);
    const other = await putBack((of) => of.call(["journal", "compact", "--keep", "0s"]));
    writeFileSync(path, readFileSync(segmentFile(other)));
    const said = await site.call(recover);
    expect(said.json().data).toMatchObject({ taken_up: null, recovered: true });
  });
});

test("[AX7] doctor says when a segment is not there", async () => {
  const site = await archived();
  const find = async (): Promise<object | undefined> => {
    const called = await site.call(["doctor", "--json"]);
    const said = called.json() as unknown as { data?: Examined; error?: { facts?: Examined } };
    return (said.data ?? said.error?.facts)?.checks.find(({ name }) => name === "archive");
  };
  expect(await find()).toMatchObject({ status: "ok" });
  rmSync(segmentFile(site));
  expect(await find()).toMatchObject({ status: "failed", code: "archive_broken" });
});
