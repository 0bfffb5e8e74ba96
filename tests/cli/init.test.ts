import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openFleet, sqlite } from "../../src/index.ts";
import { stint, type Called, type CallOptions } from "../support/cli.ts";

let base = "";
let dir = "";
let stateDir = "";

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-init-")));
  dir = join(base, "site");
  stateDir = join(dir, ".stint");
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

/** Calls `stint` in the folder, where there is one. */
function call(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const env = { XDG_STATE_HOME: join(base, "state"), XDG_RUNTIME_DIR: join(base, "run") };
  return stint(args, { cwd: existsSync(dir) ? dir : base, env, ...options });
}

/** The journal as lines, by the program itself. */
async function journal(): Promise<readonly { readonly kind: string }[]> {
  const { stdout } = await call(["journal", "export", "-"]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).entry)
    .filter((entry) => entry !== undefined);
}

/** Kills the fleet by the library, as a program would. */
async function killFleet(): Promise<void> {
  const home = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = join(base, "state");
  try {
    const fleet = await openFleet({ store: sqlite({ dir: stateDir }), supervisor: "none" });
    await fleet.kill({ reason: "test" });
    await fleet.close();
  } finally {
    process.env["XDG_STATE_HOME"] = home;
  }
}

describe("init", () => {
  test("[CL25] the entry of a fleet that it creates says by which door it came", async () => {
    mkdirSync(dir);
    await call(["init"]);
    const [first] = await journal();
    expect(first).toMatchObject({ kind: "fleet.created", actor: { kind: "operator", via: "cli" } });
  });

  test("[CL14] it begins a fleet, writes a config that can be read, and says where", async () => {
    const begun = await call(["init", dir, "--json"]);
    expect(begun).toMatchObject({ exit: 0, stderr: "" });
    expect(begun.json()).toEqual({
      ok: true,
      data: {
        fleet_id: expect.stringMatching(/^f-[a-z2-7]{16}$/),
        state_dir: stateDir,
        config_file: join(dir, "stint.toml"),
        created: true,
        name: "site",
      },
      seq: expect.any(Number),
    });
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(stateDir, ".gitignore"), "utf8")).toBe("*\n");
    expect((await call(["contract", "lint"])).exit).toBe(0);
    expect((await call(["contract", "enact", "--json"])).json().data.changes).toEqual([]);
  });

  test("[CL14] a folder that cannot be made is a fault, and no wait", async () => {
    const called = await call(["init", "/proc/here", "--json"], { callMs: 20_000 });
    expect(called).toMatchObject({ exit: 5, signal: null });
    expect(called.json().error.code).toBe("storage_failed");
  });

  test("[CL14] a path of several missing folders is taken for mistyped", async () => {
    writeFileSync(join(base, "file"), "");
    for (const above of ["nowhere", "file"]) {
      const called = await call(["init", join(base, above, "site")]);
      expect(called).toMatchObject({ exit: 2, stdout: "" });
      expect(called.stderr).toContain(`mkdir -p ${join(base, above)}`);
    }
    expect(readdirSync(base)).not.toContain("nowhere");
  });

  test("[CL14] it names the next verbs, spawn and workers among them", async () => {
    const { stdout } = await call(["init", dir]);
    for (const next of ["run --", "spawn --", "workers", "doctor"])
      expect(stdout).toContain(`stint ${next}`);
  });

  test("[CL14] where a fleet is already nothing is changed, and the exit is 0", async () => {
    const first = (await call(["init", dir, "--json"])).json().data;
    writeFileSync(join(dir, "stint.toml"), "# mine\n");
    const before = await journal();
    const again = await call(["init", dir, "--json"]);
    expect(again.exit).toBe(0);
    expect(again.json().data).toEqual({
      fleet_id: first.fleet_id,
      state_dir: stateDir,
      config_file: join(dir, "stint.toml"),
      created: false,
    });
    expect(await journal()).toEqual(before);
    expect(readFileSync(join(dir, "stint.toml"), "utf8")).toBe("# mine\n");
  });

  test("[CL14] a config that is there is put in force, a wrong one begins nothing", async () => {
    mkdirSync(dir);
    writeFileSync(join(dir, "stint.toml"), '[fleet]\nname = "mine"\n[contract]\nmax_depht = 1\n');
    const wrong = await call(["init", "--json"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.json().error.message).toContain(
      `${join(dir, "stint.toml")}:4: contract.max_depht`,
    );
    expect(existsSync(join(stateDir, "journal.db"))).toBe(false);
    writeFileSync(join(dir, "stint.toml"), '[fleet]\nname = "mine"\n[contract]\nmax_depth = 1\n');
    expect((await call(["init", "--json"])).json().data.name).toBe("mine");
    expect((await call(["contract", "show", "--json"])).json().data.contract.max_depth).toBe(1);
  });

  test("[CL15] a killed fleet is refused with the line to type, which archives it", async () => {
    const first = (await call(["init", dir, "--json"])).json().data.fleet_id;
    await killFleet();
    const refused = await call(["init"]);
    expect(refused).toMatchObject({ exit: 3, stdout: "" });
    expect(refused.stderr).toContain("`stint init --new-fleet`");
    const begun = (await call(["init", "--new-fleet", "--json"])).json().data;
    expect(begun).toMatchObject({ created: true, archived_dir: join(stateDir, "archive", first) });
    expect(begun.fleet_id).not.toBe(first);
    expect(readdirSync(begun.archived_dir)).toContain("journal.db");
    // The archived journal is whole, and dead for good.
    const shown = await call(["fleet", "show", "--json", "--fleet", begun.archived_dir]);
    expect(shown.json().data).toMatchObject({ fleet_id: first, status: "killed" });
    expect((await call(["resume", "--fleet", begun.archived_dir])).exit).toBe(3);
    expect((await call(["pause", "--json"])).json().data.fleet_id).toBe(begun.fleet_id);
  });

  test("[CL15] an archiving that was cut short is ended by the next call", async () => {
    const first = (await call(["init", dir, "--json"])).json().data.fleet_id;
    await killFleet();
    // As a crash leaves it: everything is moved but the head file.
    const archive = join(stateDir, "archive", first);
    mkdirSync(archive, { recursive: true });
    for (const name of readdirSync(stateDir).filter((one) => one !== "archive" && one !== "head")) {
      cpSync(join(stateDir, name), join(archive, name), { recursive: true });
      rmSync(join(stateDir, name), { recursive: true });
    }
    const begun = (await call(["init", "--new-fleet", "--json"])).json().data;
    expect(begun).toMatchObject({ created: true, archived_dir: archive });
    expect(readdirSync(archive)).toEqual(expect.arrayContaining(["journal.db", "head", "secret"]));
    // The archive holds a secret, too.
    expect(readFileSync(join(stateDir, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("[CL15] a fleet that is alive makes no room for a new one", async () => {
    const first = (await call(["init", dir, "--json"])).json().data.fleet_id;
    const refused = await call(["init", "--new-fleet", "--json"]);
    expect(refused.exit).toBe(3);
    expect(refused.json().refusal).toMatchObject({ code: "fleet_exists", facts: { fleet: first } });
    expect(existsSync(join(stateDir, "archive"))).toBe(false);
  });

  test("[CL15] a journal that was lost without a kill makes no room either", async () => {
    await call(["init", dir]);
    rmSync(join(stateDir, "journal.db"));
    const refused = await call(["init", "--new-fleet", "--json"]);
    expect(refused.exit).toBe(5);
    expect(refused.json().error.code).toBe("journal_missing");
  });
});

describe("the contract and the fleet", () => {
  beforeEach(async () => {
    await call(["init", dir, "--name", "site"]);
  });

  test("[CL16] what would change is shown, and without a terminal --yes is needed", async () => {
    appendFileSync(join(dir, "stint.toml"), '\n[contract.budget]\nmemory = "1GiB"\n');
    const shown = await call(["contract", "show"]);
    expect(shown.stderr).toContain("proposes 1 change");
    expect(shown.stderr).toContain('budget.memory: "1GiB" (new)');
    const before = await journal();
    const asked = await call(["contract", "enact"]);
    expect(asked.exit).toBe(2);
    expect(asked.stderr).toContain('budget.memory: "1GiB" (new)');
    expect(asked.stderr).toContain("--yes must be given");
    expect(await journal()).toEqual(before);
    const done = await call(["contract", "enact", "--yes", "--json"]);
    expect(done.json()).toMatchObject({
      ok: true,
      data: { changes: [{ field: "budget.memory", after: '"1GiB"' }] },
    });
    expect((await call(["contract", "show", "--json"])).json()).toMatchObject({
      data: { contract: { budget: { memory_bytes: 2 ** 30 } } },
    });
    expect((await journal()).map(({ kind }) => kind)).toContain("contract.enacted");
  });

  test("[CL16] what contract show prints is a config that changes nothing", async () => {
    writeFileSync(join(dir, "shown.toml"), (await call(["contract", "show"])).stdout);
    const enacted = await call(["contract", "enact", "shown.toml", "--json"]);
    expect(enacted.json().data.changes).toEqual([]);
  });

  test("[CL16] lint names what is wrong with its line and needs no fleet", async () => {
    writeFileSync(join(base, "x.toml"), "[contract]\nmax_depth = 99\n");
    const { exit, stderr } = await call(["contract", "lint", "x.toml"], { cwd: base });
    expect(exit).toBe(2);
    expect(stderr).toContain(
      "x.toml:2: contract.max_depth must be an integer from 0 to 64, got 99",
    );
  });

  test("[CL27] lint says whether the file is in force", async () => {
    const lint = async () => (await call(["contract", "lint", "--json"])).json().data.in_force;
    expect(await lint()).toBe(true);
    appendFileSync(join(dir, "stint.toml"), '\n[contract.budget]\nmemory = "1GiB"\n');
    expect(await lint()).toBe(false);
    const { stdout } = await call(["contract", "lint"]);
    expect(stdout).toContain("not in force: 1 change to the contract");
    const named = ["contract", "lint", join(dir, "stint.toml")];
    expect((await call([...named, "--json"], { cwd: base })).json().data.in_force).toBeNull();
  });

  test("[CL27] enact without a stint.toml says where it looked", async () => {
    rmSync(join(dir, "stint.toml"));
    const { exit, stderr } = await call(["contract", "enact"]);
    expect(exit).toBe(2);
    expect(stderr).toContain(join(dir, "stint.toml"));
    expect(stderr).toContain("stint contract enact FILE");
  });

  test("[CL17] pause and resume are entries with their reason", async () => {
    const paused = (await call(["pause", "--reason", "drill", "--json"])).json();
    expect(paused).toMatchObject({ ok: true, data: { status: "paused" }, seq: expect.any(Number) });
    expect((await call([])).stdout).toContain("stint resume");
    expect((await call(["resume", "--json"])).json().data.status).toBe("open");
    const entries = await journal();
    const pause = entries.find(({ kind }) => kind === "fleet.paused");
    expect(pause).toMatchObject({ data: { reason: "drill" } });
  });

  test("[CL9] stint alone shows the fleet in at most 20 lines", async () => {
    const { stdout, exit } = await call([]);
    expect(exit).toBe(0);
    expect(stdout).toContain("site");
    expect(stdout).toContain("0 of 50 workers live");
    expect(stdout).toContain("stint run -- CMD");
    expect(stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(20);
  });

  test("[CL18] where names every path, and that nobody supervises", async () => {
    const { data } = (await call(["where", "--json"])).json();
    expect(data).toMatchObject({
      root: dir,
      state_dir: stateDir,
      config_file: join(dir, "stint.toml"),
      config_exists: true,
      supervisor: null,
      supervisor_mute: null,
    });
    for (const name of ["journal_file", "secret_file"]) expect(existsSync(data[name])).toBe(true);
    expect((await call(["where", "--json", "--fleet", stateDir])).json().data).toEqual(data);
  });

  test("[CL19] a journal that lost its end goes on when an operator says so", async () => {
    const backup = join(base, "backup.db");
    cpSync(join(stateDir, "journal.db"), backup);
    await call(["pause"]);
    await call(["resume"]);
    for (const name of ["journal.db-wal", "journal.db-shm"])
      rmSync(join(stateDir, name), { force: true });
    cpSync(backup, join(stateDir, "journal.db"));
    const refused = await call(["pause", "--json"]);
    expect(refused.exit).toBe(5);
    expect(refused.json().error.code).toBe("journal_truncated");
    const asked = await call(["fleet", "recover"]);
    expect(asked.exit).toBe(2);
    expect(asked.stderr).toMatch(/kept +entry \d+[^]*remembered +entry \d+[^]*lost +entries/);
    const done = (await call(["fleet", "recover", "--yes", "--json"])).json();
    expect(done.data).toMatchObject({ recovered: true, status: "paused", epoch: 1 });
    expect(done.data.lost.to_seq).toBe(done.data.remembered.seq);
    expect(done.seq).toBeGreaterThan(done.data.remembered.seq);
    expect((await call(["fleet", "recover", "--json"])).json().data.recovered).toBe(false);
    expect((await call(["resume", "--json"])).json().data.status).toBe("open");
  });

  test("[CL20] a clock that contradicts journal time needs an operator's word", async () => {
    await tieToWall(3_600_000);
    const skewed = await call(["pause", "--json"]);
    expect(skewed.exit).toBe(5);
    expect(skewed.json().error.code).toBe("clock_skew");
    expect((await call(["fleet", "accept-clock"])).exit).toBe(2);
    const accepted = (await call(["fleet", "accept-clock", "--yes", "--json"])).json();
    expect(accepted.data.at_ms).toBeGreaterThanOrEqual(accepted.data.previous_at_ms);
    expect((await call(["pause", "--json"])).json().data.status).toBe("paused");
    expect((await journal()).map(({ kind }) => kind)).toContain("clock.accepted");
  });
});

/** Ties journal time to a wall clock that showed something else, as one that was set since. */
async function tieToWall(byMs: number): Promise<void> {
  const { decodeAnchor, encodeAnchor } = await import("../../src/journal/sqlite/anchor.ts");
  const { loadSqlite } = await import("../../src/system/sqlite-library.ts");
  const db = new (loadSqlite())(join(stateDir, "journal.db"));
  try {
    const row = db.prepare<[], { text: string; hash: string }>("SELECT * FROM clock").get();
    const anchor = row === undefined ? null : decodeAnchor(row);
    if (anchor === null) throw new Error("the journal must be tied to this host's clock");
    const { text, hash } = encodeAnchor({ ...anchor, wallMs: anchor.wallMs + byMs });
    db.prepare("UPDATE clock SET text = ?, hash = ?").run(text, hash);
  } finally {
    db.close();
  }
}
