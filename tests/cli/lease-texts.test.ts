import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin, type Answer, type Called } from "../support/cli.ts";
import { needsProgram } from "../support/require-all.ts";
import { acquire, makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const LANES = `
[lanes.api]
paths = ["src/api/**"]

[lanes.tests]
paths = ["tests/**"]
slots = 1
`;

/** What a call says to a person on stderr; it must be refused or not understood. */
async function said(ground: Ground, line: string): Promise<string> {
  const { exit, stderr } = await ground.call(line.split(" "));
  expect({ line, isDone: exit === 0 }).toEqual({ line, isDone: false });
  return stderr;
}

const INSTANT = String.raw`20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ \(in \dm[^)]*\)`;

describe("[GV22] a refusal says all there is to know", () => {
  test("of ends in UTC and from now, of one's own lease, of who has the slots", async () => {
    const ground = await makeGround({ config: LANES });
    const { lease_id: id } = await acquire(ground, "ann", "--region", "src/**");
    const other = await said(ground, "lease acquire --region src/a --holder bob");
    expect(other).toMatch(new RegExp(`"ann" holds "src/a" as exclusive by ${id} until ${INSTANT}`));
    const own = await said(ground, "lease acquire --region src/a --holder ann");
    expect(own).toMatch(new RegExp(`your own ${id} has "src/a" as exclusive until ${INSTANT}`));
    await acquire(ground, "ann", "--lane", "tests");
    const full = await said(ground, "lease acquire --lane tests --holder bob");
    expect(full).toMatch(new RegExp(`1 held, by "ann"; the first ends at ${INSTANT}`));
    expect(await said(ground, "lease acquire --lane zzzzzz --holder bob")).toContain(
      'none is "zzzzzz"; there are "api", "tests"',
    );
    const { stdout } = await ground.done(["journal", "tail"]);
    expect(stdout).toMatch(/until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ/);
    expect(stdout).not.toMatch(/until \d{13}/);
  });

  test("of an end: how, when and by whom", async () => {
    const ground = await makeGround();
    const released = await acquire(ground, "ann", "--region", "a");
    await ground.done(["lease", "release", released.lease_id, "--token", released.token]);
    const revoked = await acquire(ground, "ann", "--region", "b");
    const words = ["lease", "revoke", revoked.lease_id, "--reason", "gone wild", "--yes"];
    await ground.done(words);
    const lapsing = await acquire(ground, "ann", "--region", "c", "--ttl", "1s");
    const renew = ({ lease_id, token }: Answer): Promise<Called> =>
      ground.call(["lease", "renew", lease_id, "--token", token, "--json"]);
    const ends: readonly (readonly [Answer, RegExp])[] = [
      [released, /, it was released by operator .+ at 20.+Z$/],
      [revoked, /, it was revoked by operator .+ at 20.+Z: gone wild$/],
    ];
    for (const [lease, why] of ends) {
      const { code, message, facts } = (await renew(lease)).json().refusal;
      expect(code).toBe("lease_ended");
      expect(message).toMatch(why);
      expect(facts.ended).toMatchObject({ at_ms: expect.any(Number), seq: expect.any(Number) });
    }
    const show = ["lease", "show", lapsing.lease_id, "--json"];
    const isLive = async (): Promise<boolean> =>
      (await ground.done(show)).json().data.lease.is_live;
    await expect.poll(isLive, { timeout: 20_000 }).toBe(false);
    const late = (await renew(lapsing)).json().refusal;
    expect(late.message).toMatch(/, it lapsed at 20.+Z$/);
    const shown = await ground.done(["lease", "show", revoked.lease_id]);
    expect(shown.stdout).toMatch(/ended +revoked by operator .+, gone wild; /);
  });
});

test("[GV23] a part is lent to a worker by its name, and by no other's", async () => {
  const ground = await makeGround();
  const lead = await ground.spawn("lead");
  const child = await ground.spawn("child", "--parent", "lead");
  const { lease_id: id } = await acquire(ground, lead, "--region", "src/**");
  const split = `lease split ${id} --holder ${lead} --region src/a --to`;
  const typo = await said(ground, `${split} chidl`);
  expect(typo).toContain("--to must be a live worker, by its id or name (there are ");
  expect(typo).toContain(`${child} "child"`);
  const lent = await ground.done([...split.split(" "), "child", "--json"]);
  expect(lent.json().data).toMatchObject({ holder: child, lender: id, region: ["src/a"] });
});

describe("[GV24] what cannot be meant is not granted", () => {
  test("no id is taken for a pattern, no option, and nothing blank", async () => {
    const ground = await makeGround();
    const { lease_id: id, token } = await acquire(ground, "ann", "--region", "src/**", "docs/**");
    const narrow = ["lease", "narrow", "--region", "src/a", "--region", "src/b", id];
    const narrowed = await ground.done([...narrow, "--token", token, "--json"]);
    expect(narrowed.json().data.region).toEqual(["src/a", "src/b"]);
    const eaten = await said(ground, "lease acquire --region --holder bob");
    expect(eaten).toMatch(/--region must be a pattern \(.+\), got "--holder"/);
    const blank = [
      ["--holder", " ", "--region", "x"],
      ["--holder", "\n\t", "--region", "x"],
      ["--holder", "bob", "--region", " "],
    ];
    for (const words of blank) {
      const called = await ground.call(["lease", "acquire", ...words]);
      expect(called).toMatchObject({ exit: 2 });
      expect(called.stderr).toMatch(/must be a text that is not blank, got "/);
    }
    expect(await said(ground, "lease acquire --region x --holder bob --ttl 5")).toContain(
      '--ttl must be a duration, "1s" to "24h", got "5"',
    );
    expect((await ground.done(["lease", "ls", "--json"])).json().data.leases).toHaveLength(1);
    mkdirSync(join(ground.dir, "lib"));
    const folder = ["lease", "acquire", "--region", "lib", "none", "--holder", "bob"];
    expect((await ground.done(folder)).stderr).toBe(
      "stint: lib is a folder; what lies in it is 'lib/**', in quotes\n",
    );
  });

  test("no worktree that the repository does not have, and no grace that is too long", async () => {
    needsProgram("git");
    const ground = await makeGround({ config: '[repository]\nworktrees = "own_ground"\n' });
    const git = (...words: readonly string[]): void => {
      const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
      execFileSync("git", [...identity, ...words], { cwd: ground.dir, stdio: "pipe" });
    };
    git("init", "-q");
    git("commit", "-q", "--allow-empty", "-m", "x");
    git("worktree", "add", "-q", join(ground.dir, "../feature"));
    const line = "lease acquire --region src/** --holder ann --worktree";
    expect(await said(ground, `${line} faeture`)).toContain(
      '--worktree must be one of the repository\'s worktrees, "main", "feature", ' +
        'got "faeture"; did you mean "feature"?',
    );
    await ground.done([...line.split(" "), "feature"]);
    const refused = await said(ground, `${line.replace("ann", "bob")} feature`);
    expect(refused).toContain('"src" of worktree "feature"');
    const { stdout } = await ground.done(["lease", "ls"]);
    expect(stdout).toMatch(/ src\/\*\* +feature /);
    const held = ["lease", "with", "--region", "x", "--holder", "ann", "--ttl", "8s"];
    const run = await ground.done([...held, "--grace", "5s", "--", "true"]);
    expect(run.stderr).toBe("stint: the grace is 1s, an eighth of the ttl, not 5s\n");
  });
});

test("[GV25] a refused check shows every path, the fence, and what is leased below", async () => {
  const ground = await makeGround();
  mkdirSync(join(ground.dir, "src"));
  const { lease_id: id, fence } = await acquire(ground, "ann", "--region", "src/a");
  const { lease_id: port } = await acquire(ground, "ann", "--region", "port:8080");
  const refused = await ground.call(["lease", "check", "src", "src/a", "b", "--holder", "bob"]);
  expect(refused).toMatchObject({ exit: 3 });
  const rows = refused.stdout.trimEnd().split("\n");
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["PATH", "WRITE", "WHY", "LEASE", "HOLDER", "BELOW"],
    ["src", "yes", expect.stringMatching(/^free/), id],
    ["src/a", "no", "held_by_other", id, "ann"],
    ["b", "yes", "free"],
  ]);
  const stale = await said(ground, `lease check src/a --holder ann --fence ${fence + 1}`);
  expect(stale).toContain(`"src/a" is held under fence ${fence}, not ${fence + 1} ("ann", ${id}`);
  const never = await said(ground, "lease check b --holder ann --fence 999");
  expect(never).toContain('"b" is in no live lease of fence 999');
  const taken = await ground.call([
    "lease",
    "check",
    "port:8080",
    "./port:8080",
    "--holder",
    "bob",
  ]);
  expect(taken.stdout).toMatch(new RegExp(`port:8080 +no +held_by_other +${port}`));
  expect(taken.stdout).toMatch(/\.\/port:8080 +yes +free/);
});

test("[GV26] a worker is told what a worker may do", async () => {
  const ground = await makeGround({ config: LANES });
  const bin = `${process.execPath} ${await builtBin()}`;
  const lines = ["lease ls", "lane ls", "lease ls --all", "lease show l-1", "lease revoke l-1"];
  const program = lines.map((line) =>
    `${bin} ${line} --reason x`.replace(/(ls|--all|l-1) --r.*/, "$1"),
  );
  const script = program.map((line) => `${line} 2>&1`).join("\n");
  const run = ["run", "--name", "self", "--network", "controller", "--", "sh", "-c", script];
  const { stdout } = await ground.call(run);
  expect(stdout).toContain(
    "you hold no lease; others' are not shown; acquire one: " +
      "`stint lease acquire --region 'src/**'`\n",
  );
  expect(stdout).toContain("a worker acquires a lane by its name");
  expect(stdout).toContain("asked for another (l-1); `stint lease ls` shows what it holds");
  expect(stdout).toContain("a worker is shown its live leases by `stint lease ls`");
});

describe("[GV34] a person is told what to type next, a program the facts", () => {
  test("about the lease of a worker that lives, and after its end", async () => {
    const ground = await makeGround();
    const lead = await ground.spawn("lead");
    const { lease_id: id } = await acquire(ground, lead, "--region", "src/**");
    const adopt = `lease adopt ${id} --holder bob`;
    const living = "its holder is a worker that lives: an operator names it by `--";
    expect(await said(ground, adopt)).toContain(`${living}from ${lead}\`\nwhy: `);
    expect(await said(ground, `lease renew ${id}`)).toContain(`${living}holder ${lead}\`\n`);
    await ground.done(["stop", "lead", "--yes"]);
    const left =
      `its holder is a worker that has ended: \`stint lease adopt ${id} --orphan --holder NAME\` ` +
      `takes it over, \`stint lease revoke ${id} --reason WHY\` ends it\n`;
    const conflict = await said(ground, "lease acquire --region src/a --holder bob");
    expect(conflict).toContain(`${lead} (lead) holds "src/a" `);
    expect(conflict).toContain(left);
    expect(await said(ground, adopt)).toContain(left);
    const { stdout } = await ground.call([
      ..."lease acquire --region src/a --json".split(" "),
      "--holder",
      "bob",
    ]);
    expect(stdout).not.toContain("(lead)");
    expect(stdout).not.toContain("--orphan");
    // What it says to type is what helps.
    await ground.done([...adopt.split(" "), "--orphan"]);
  });

  test("about what passes, and only there: that one can wait for it", async () => {
    const ground = await makeGround({
      config: '[lanes.tests]\npaths = ["tests/**"]\nslots = 1\n\n[lanes.web]\npaths = ["web/**"]\n',
    });
    await acquire(ground, "ann", "--region", "src/**");
    await acquire(ground, "ann", "--lane", "tests");
    const hint = "\n`--wait 10m` queues for it\nwhy: ";
    expect(await said(ground, "lease acquire --region src/a --holder bob")).toContain(hint);
    expect(await said(ground, "lease acquire --lane tests --holder bob")).toContain(hint);
    const typed = "lease with --lane tests --holder bob -- true";
    expect(await said(ground, typed)).toContain(hint);
    // Where waiting cannot help, and where nothing is said to people.
    expect(await said(ground, "lease acquire --region src/a --holder ann")).not.toContain("--wait");
    const own = "lease acquire --region web/a --also-held web/** --holder bob";
    expect(await said(ground, own)).not.toContain("--wait");
    expect(await said(ground, "lease acquire --lane wep --holder bob")).not.toContain("--wait");
    const json = "lease acquire --region src/a --holder bob --json".split(" ");
    expect((await ground.call(json)).stdout).not.toContain("--wait");
    // What it says to type queues.
    const late = await said(ground, "lease acquire --lane tests --holder bob --wait 50ms");
    expect(late).toContain("(wait_timeout)");
  });

  test("about tokens, a pause and patterns", async () => {
    const ground = await makeGround();
    const { lease_id: id, token } = await acquire(ground, "ann", "--region", "src/**");
    expect(await said(ground, `lease release ${id}`)).toContain(
      "show its token by --token-file FILE or STINT_LEASE_TOKEN; who has lost it ends the lease " +
        `by \`stint lease revoke ${id} --reason WHY\`\n`,
    );
    const env = { STINT_LEASE_TOKEN: "x" };
    const stale = await ground.call(["lease", "renew", id], { env });
    expect(stale.stderr).toContain("not this lease's; the token came from STINT_LEASE_TOKEN\n");
    const typed = await ground.call(["lease", "renew", id, "--token", "x"], { env });
    expect(typed.stderr).not.toContain("came from");
    expect(await said(ground, "lease acquire --region /src/x --holder bob")).toContain(
      "\npatterns begin at the repository's root: 'src/x'\n",
    );
    expect(await said(ground, `lease acquire --region ${ground.dir}/lib/x --holder bob`)).toContain(
      "\npatterns begin at the repository's root: 'lib/x'\n",
    );
    const paused = await ground.done(["pause"]);
    expect(paused.stdout).toContain("no new leases; renewals and releases go on");
    expect(await said(ground, "lease acquire --region x --holder bob")).toContain(
      "it is paused\n`stint resume` opens it again\nwhy: ",
    );
    await ground.done(["lease", "renew", id, "--token", token]);
    await ground.done(["lease", "release", id, "--token", token]);
  });
});

test("[GV35] a worker is shown with its name, and ground is cut in no file", async () => {
  const ground = await makeGround();
  const lead = await ground.spawn("lead");
  const long = `${"deep/".repeat(14)}**`;
  const { lease_id: id } = await acquire(ground, lead, "--region", long);
  const row = new RegExp(`^${id} +${lead} \\(lead\\) .* ${long.replaceAll("*", "\\*")} `, "m");
  expect((await ground.done(["lease", "ls"])).stdout).toMatch(row);
  const held = await ground.call(["lease", "check", "deep/".repeat(14), "--holder", "bob"]);
  expect(held.stdout).toMatch(new RegExp(` ${id} +${lead} \\(lead\\)$`, "m"));
  const worker = await ground.done(["worker", "show", "lead"]);
  expect(worker.stdout).toContain(`  ${id} ${long}\n`);
  await ground.done(["stop", "lead", "--yes"]);
  expect((await ground.done(["lease", "ls"])).stdout).toMatch(row);
  expect((await ground.done([])).stdout).toContain(`${id} ${lead} (lead) (which has ended)`);
  const shown = await ground.done(["lease", "show", id]);
  expect(shown.stdout).toContain(`${lead} (lead) (which has ended)`);
});

test("[GV36] a check says that its worker has ended, or is none", async () => {
  const ground = await makeGround();
  const lead = await ground.spawn("lead");
  expect(await said(ground, "lease check x --holder worker:nobody")).toContain(
    '; no live worker has the id or name "nobody"\n',
  );
  expect(await said(ground, "lease acquire --region x --holder worker:nobody")).toContain(
    '\nno live worker has the id or name "nobody"\n',
  );
  await ground.done(["stop", "lead", "--yes"]);
  expect(await said(ground, `lease check x --holder ${lead}`)).toContain(`; ${lead} has ended\n`);
  expect(await said(ground, "lease check x --holder worker:lead")).toContain(
    `; ${lead}, called "lead", has ended\n`,
  );
  const check = [process.execPath, await builtBin(), "lease", "check", "x", "--holder", "ada"];
  const run = ["run", "--name", "self", "--network", "controller", "--", ...check];
  const { stderr } = await ground.call(run);
  expect(stderr).toContain('--holder must be left out: a worker asks for itself, got "ada"');
});

test("[GV37] the help says what is required, and what holds where nothing is said", async () => {
  const ground = await makeGround({ config: LANES });
  const help = (await ground.done(["lease", "acquire", "--help"])).stdout.replaceAll(/\s+/g, " ");
  expect(help).toContain("(default: 5m)");
  expect(help).toContain("who is to hold it (required, but from a worker)");
  const revoke = (await ground.done(["lease", "revoke", "--help"])).stdout;
  expect(revoke).toContain("why, for the record (required)");
});
