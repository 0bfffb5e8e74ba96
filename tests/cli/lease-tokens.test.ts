// Where the token of a lease is: with whoever was told it, and nowhere else.
import { chmodSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtBin, type Called } from "../support/cli.ts";
import { listProcesses } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 30_000 };

/** The files below a folder that have one of some texts in them, whatever else they are. */
function filesWith(folder: string, texts: readonly string[]): readonly string[] {
  return globSync(join(folder, "**/*")).filter((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    const bytes = readFileSync(path);
    return texts.some((text) => bytes.includes(text));
  });
}

/** The processes of this host that have one of some texts in arguments or environment. */
function processesWith(texts: readonly string[]): readonly string[] {
  return listProcesses().flatMap(({ pid }) => {
    const said = ["cmdline", "environ"].map((name) => readQuietly(`/proc/${pid}/${name}`));
    return texts.some((text) => said.join("\0").includes(text)) ? [said.join(" | ")] : [];
  });
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}

/** What everybody says in one way or another who is not told the token by acquiring. */
async function askAll(ground: Ground, lease: string, token: string): Promise<readonly Called[]> {
  const env = { STINT_LEASE_TOKEN: token };
  const claim = { token };
  const wrong = { kind: "lease.release", data: { lease, claim, fence: "x" } };
  const asked: readonly (readonly [readonly string[], object])[] = [
    [["lease", "renew", lease, "--ttl", "20m"], { env }],
    [["lease", "renew", lease, "--token", token, "--holder", "bob"], {}],
    [["lease", "renew", lease, "--token", token, "--fence", "no"], {}],
    [["lease", "renew", "--token", token], {}],
    [["lease", "renew", lease, "--token", token, "--token-file", "/none"], {}],
    [["lease", "renew", lease, "--tokn=x"], { env }],
    [["lease", "release", "l-1"], { env }],
    [["submit", "-"], { stdin: JSON.stringify(wrong) }],
    [["submit", "-"], { stdin: JSON.stringify({ ...wrong, data: { lease: "l-1", claim } }) }],
    [["lease", "show", lease], { env }],
    [["lease", "ls", "--all"], { env }],
    [["lane", "ls"], { env }],
    [["explain", "3"], { env }],
    [["journal", "tail", "--limit", "100"], { env }],
    [["journal", "export", "-"], { env }],
    [["metrics"], { env }],
    [["doctor"], { env }],
    [["workers"], { env }],
    [[], { env }],
  ];
  const called: Called[] = [];
  for (const [args, options] of asked)
    for (const form of [[], ["--json"]])
      called.push(await ground.call([...args, ...form], options));
  return called;
}

test("[GV31] a lease's token is in no process, file, journal, log or message", async () => {
  const ground = await makeGround();
  const acquired = await ground.done([
    "lease",
    "acquire",
    "--region",
    "src/**",
    "--holder",
    "ann",
    "--json",
  ]);
  const { lease_id: lease, token } = acquired.json().data;
  // Whoever has it in his environment starts a supervisor, and a worker.
  const env = { STINT_LEASE_TOKEN: token, STINT_LEASE_TOKEN_FILE: "/none" };
  const spawned = ["spawn", "--json", "--name", "w", "--", "sleep", "4712"];
  await ground.done(spawned, { env });
  const go = join(ground.dir, "go");
  const script =
    "cat $STINT_LEASE_TOKEN_FILE; stat -c %a $(dirname $STINT_LEASE_TOKEN_FILE); " +
    `until [ -e ${go} ]; do sleep 0.05; done`;
  const held = [
    "lease",
    "with",
    "--region",
    "docs/**",
    "--holder",
    "bob",
    "--",
    "sh",
    "-c",
    script,
  ];
  const run = await ground.begin(held, { env });
  let text = "";
  run.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  const ended = new Promise((resolve) => run.once("close", resolve));
  await expect.poll(() => text.split("\n").length, polling).toBe(3);
  const [other = "", mode] = text.split("\n");
  expect([other.length, mode]).toEqual([52, "700"]);
  const tokens = [token, other] as const;
  expect(ground.processesWith("sleep 4712").length).toBeGreaterThan(0);
  // The caller who was given it in his environment has it there, and nobody whom he started.
  const aware = processesWith(tokens).filter((said) => !said.includes("lease\0with"));
  expect(aware).toEqual([]);
  const called = await askAll(ground, lease, token);
  // It is the right one: with it something was done, and much was refused.
  expect(called[0]).toMatchObject({ exit: 0 });
  expect(called.map(({ exit }) => exit)).toEqual(expect.arrayContaining([0, 2, 3]));
  for (const { stdout, stderr } of called)
    for (const one of tokens) expect(`${stdout}${stderr}`).not.toContain(one);
  writeFileSync(go, "");
  expect(await ended).toBe(0);
  ground.killSupervisor();
  expect(filesWith(dirname(ground.dir), tokens)).toEqual([]);
});

test("[GV32] a token file that others can read is used, and its user is told", async () => {
  const ground = await makeGround();
  const acquire = ["lease", "acquire", "--region", "src/**", "--holder", "ann", "--json"];
  const { lease_id: lease, token } = (await ground.done(acquire)).json().data;
  const file = join(ground.dir, "token");
  writeFileSync(file, token);
  const warning = /^.*others can read the token in .*token.*mode 600.*$/m;
  for (const [bits, isOpen] of [
    [0o644, true],
    [0o640, true],
    [0o600, false],
    [0o400, false],
  ] as const) {
    chmodSync(file, bits);
    const named = await ground.done(["lease", "renew", lease, "--token-file", file]);
    const inherited = await ground.done(["lease", "renew", lease], {
      env: { STINT_LEASE_TOKEN_FILE: file },
    });
    for (const { stderr } of [named, inherited]) {
      expect(stderr).toMatch(isOpen ? warning : /^$/);
      expect(stderr).not.toContain(token);
    }
  }
  expect(existsSync(file)).toBe(true);
});
