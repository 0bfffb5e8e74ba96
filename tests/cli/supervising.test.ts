import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { builtBin, type Answer } from "../support/cli.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 60_000, interval: 200 };

const CONFIG = `
[contract]
allow_degraded = ["same_user", "network"]

[contract.liveness]
grace = "0s"

[lanes.api]
paths = ["src/api/**"]

[lanes.docs]
paths = ["docs/**"]

[lanes.pool]
paths = ["pool/**"]
slots = 2

[supervise]
target = 2
lanes = ["api", "docs"]
template = ["sleep", "300"]
`;

/** The lanes that workers hold, in order. */
async function lanesHeld(ground: Ground): Promise<readonly string[]> {
  const { leases } = (await ground.done(["lease", "ls", "--json"])).json().data;
  return leases.map(({ lane }: Answer) => lane).toSorted();
}

async function liveCount(ground: Ground): Promise<number> {
  return (await ground.done(["workers", "--json"])).json().data.workers.length;
}

async function everAdmitted(ground: Ground): Promise<number> {
  const { workers } = (await ground.done(["workers", "--all", "--json"])).json().data;
  return workers.length;
}

describe("[SU11] `stint supervise --apply` keeps so many workers on lanes, under leases", () => {
  test("from the config; a second time nothing is to be done", async () => {
    const ground = await makeGround({ config: CONFIG });
    const planned = await ground.done(["supervise", "--plan"]);
    expect(planned.stdout).toMatch(/^filling: 0 alive of 2\n/);
    expect(planned.stdout).toMatch(/^start on +lane api +the lane is free/m);
    expect(await liveCount(ground)).toBe(0);
    const applied = await ground.done(["supervise", "--apply", "--json"]);
    const { plan, done } = applied.json().data;
    expect(plan).toMatchObject({ outcome: "filling", alive_count: 0, target: 2 });
    expect(done.map(({ kind, lane, outcome }: Answer) => [kind, lane, outcome])).toEqual([
      ["start", "api", "done"],
      ["start", "docs", "done"],
    ]);
    expect(done.map(({ name }: Answer) => name)).toEqual(["api", "docs"]);
    await vi.waitFor(async () => expect(await lanesHeld(ground)).toEqual(["api", "docs"]), polling);
    const again = await ground.done(["supervise", "--apply"]);
    expect(again.stdout).toMatch(/^at target: 2 alive of 2\n/);
    expect(again.stdout).toMatch(/^(let be|look at) +w-[0-9a-z]+ \(api\) /m);
    await ground.done(["lease", "acquire", "--region", "etc", "--holder", "ada"]);
    const seen = (await ground.done(["supervise", "--plan", "--json"])).json().data.plan.actions;
    const names = seen.map((one: Answer) => one.seen.name);
    expect([names.slice(0, 2).toSorted(), names.slice(2)]).toEqual([["api", "docs"], [null]]);
    expect(again.stdout).toMatch(/nothing was to be done\n$/);
    expect(await everAdmitted(ground)).toBe(2);
  });

  test("by what is typed; {lane} is the lane, and a worker that ends is replaced", async () => {
    const ground = await makeGround({ config: CONFIG });
    const typed = ["supervise", "--apply", "--target", "3", "--lanes", "pool,docs", "--json"];
    const script = 'echo "on $0 with $STINT_LEASE_ID"';
    const first = await ground.done([...typed, "--", "sh", "-c", script, "{lane}"]);
    const started = first.json().data.done;
    expect(started.map(({ lane }: Answer) => lane).toSorted()).toEqual(["docs", "pool", "pool"]);
    for (const { holder, lane } of started)
      await vi.waitFor(async () => {
        const { stdout } = await ground.done(["logs", holder]);
        expect(stdout).toMatch(new RegExp(`^on ${lane} with l-\\d+$`, "m"));
      }, polling);
    await vi.waitFor(async () => expect(await liveCount(ground)).toBe(0), polling);
    const second = await ground.done([...typed, "--", "sleep", "300"]);
    const ids = second.json().data.done.map(({ holder }: Answer) => holder);
    expect(new Set([...ids, ...started.map(({ holder }: Answer) => holder)]).size).toBe(6);
  });

  test("a name that was of a worker which has ended is not started, the next one is", async () => {
    const ground = await makeGround({ config: CONFIG });
    const ended = await ground.spawn("x", "--run-id", "supervise.api.1", "--", "true");
    await vi.waitFor(async () => expect(await liveCount(ground)).toBe(0), polling);
    const apply = ["supervise", "--apply", "--target", "1", "--lanes", "api", "--json"];
    const [first] = (await ground.done(apply)).json().data.done;
    expect(first).toMatchObject({ holder: ended, outcome: "skipped" });
    const [second] = (await ground.done(apply)).json().data.done;
    expect(second).toMatchObject({ outcome: "done" });
    expect(await liveCount(ground)).toBe(1);
  });
});

test("[GV11] `lane ls` names the worker that a start came to, until that has ended", async () => {
  const ground = await makeGround({ config: CONFIG });
  const applied = await ground.done(["supervise", "--apply", "--target", "1", "--json"]);
  const [{ holder: id }] = applied.json().data.done;
  await ground.done(["lane", "announce", "api", "--holder", "ada", "--note", "later"]);
  const [shown, told] = [
    ["lane", "ls"],
    ["lane", "ls", "--json"],
  ];
  expect((await ground.done(shown)).stdout).toMatch(
    new RegExp(`^api: announced by stint supervise .*: a worker is started: ${id} \\(api\\)$`, "m"),
  );
  const [lane] = (await ground.done(told)).json().data.lanes;
  expect(lane.announcements).toMatchObject([
    { holder: "ada", worker: null },
    { holder: "stint supervise", worker: id },
  ]);
  await ground.done(["stop", id, "--yes"]);
  const { stdout } = await ground.done(shown);
  expect(stdout).toContain("api: announced by ada");
  expect(stdout).not.toContain("stint supervise");
  const [left] = (await ground.done(told)).json().data.lanes;
  expect(left.announcements).toMatchObject([{ holder: "ada", worker: null }]);
});

describe("[SU12] several who apply at once start nobody twice", () => {
  test("four at the same time", async () => {
    const ground = await makeGround({ config: CONFIG });
    const calls = Array.from({ length: 4 }, () => ground.call(["supervise", "--apply", "--json"]));
    const answers = await Promise.all(calls);
    expect(answers.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    await vi.waitFor(async () => expect(await lanesHeld(ground)).toEqual(["api", "docs"]), polling);
    expect(await everAdmitted(ground)).toBe(2);
  });

  test.each([
    ["before its first start", "stdout", "filling"],
    ["after its first start", "stderr", "stint: start w-"],
  ] as const)("one that is killed %s is gone on with by the next", async (_, stream, text) => {
    const ground = await makeGround({ config: CONFIG });
    const child = await ground.begin(["supervise", "--apply"]);
    let said = "";
    child[stream].setEncoding("utf8").on("data", (piece: string) => {
      said += piece;
      if (said.includes(text)) child.kill("SIGKILL");
    });
    child[stream === "stdout" ? "stderr" : "stdout"].resume();
    await new Promise((resolve) => child.once("close", resolve));
    await ground.done(["supervise", "--apply"]);
    await vi.waitFor(async () => expect(await lanesHeld(ground)).toEqual(["api", "docs"]), polling);
    expect(await liveCount(ground)).toBe(2);
    expect(await everAdmitted(ground)).toBe(2);
  });
});

test("[SU13] a worker that is refused its lane ends without having begun", async () => {
  const ground = await makeGround({ config: CONFIG });
  await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
  const marker = join(ground.dir, "began");
  const bin = await builtBin();
  const run = [process.execPath, bin, "lease", "with", "--lane", "api", "--", "touch", marker];
  const id = await ground.spawn("late", "--", ...run);
  await vi.waitFor(async () => {
    const { worker } = (await ground.done(["worker", "show", id, "--json"])).json().data;
    expect(worker.end).toMatchObject({ outcome: { exit_code: 3 } });
  }, polling);
  expect(existsSync(marker)).toBe(false);
});

test("[SU14] what cannot be meant is refused with what to do instead", async () => {
  const ground = await makeGround({ config: CONFIG.replace(/\[supervise\][^]*/, "") });
  const wrong = async (...args: readonly string[]): Promise<string> => {
    const called = await ground.call(["supervise", ...args]);
    expect(called.exit).toBe(2);
    return called.stderr;
  };
  expect(await wrong("--plan")).toContain("--target must be how many workers are to be alive");
  expect(await wrong("--plan", "--apply")).toBe(
    "stint: --plan and --apply must not be given together\n",
  );
  expect(await wrong("--target", "2")).toContain("--target must be absent without --plan");
  expect(await wrong("--plan", "--dir", "x")).toContain("--dir must be absent beside --plan");
  expect(await wrong("--", "sleep", "1")).toContain("COMMAND must be absent without --plan");
  const lane = await ground.call(["supervise", "--plan", "--target", "1", "--lanes", "apy"]);
  expect(lane).toMatchObject({ exit: 3 });
  expect(lane.stderr).toContain('did you mean "api"?');
  const applied = await ground.done(["supervise", "--apply", "--target", "1"]);
  expect(applied.stderr).toContain("there is no template for what to start");
  writeFileSync(join(ground.dir, "stint.toml"), "[supervise]\ntarget = -1\ntemplate = []\n");
  const broken = await wrong("--plan");
  expect(broken).toContain("supervise.target must be an integer from 0 to 100000");
  expect(broken).toContain("supervise.template must be at least a program");
});

describe("[SU15] `stint watch` proposes once, across its restarts", () => {
  test("each halt is on record once, and nobody is stopped", async () => {
    const ground = await makeGround({ config: CONFIG });
    const id = await ground.spawn("one");
    const once = ["watch", "--once", "--halt-after", "1ms", "--json"];
    const first = (await ground.done(once)).lines();
    expect(first.map(({ kind }) => kind)).toEqual(["verdict", "proposal", "answer"]);
    expect(first[0]).toMatchObject({ holder: id, name: "one", verdict: "spinning" });
    expect(first[1]).toMatchObject({ holder: id, name: "one", verdict: "spinning" });
    const shown = (await ground.done(["watch", "--once"])).stdout;
    expect(shown).toContain(` ${id} (one): spinning, it is alive`);
    expect(first[2]).toMatchObject({ ok: true, data: { round_count: 1, proposed_count: 1 } });
    const both = await Promise.all([ground.done(once), ground.done(once)]);
    expect(both.map((one) => one.lines().at(-1)?.data.proposed_count)).toEqual([0, 0]);
    const halts = ["journal", "tail", "--kind", "halt.requested", "--json"];
    const asked = (await ground.done(halts)).lines().filter(({ kind }) => kind !== "answer");
    expect(asked).toHaveLength(1);
    expect(await liveCount(ground)).toBe(1);
  });

  test("who is named and is not there is refused by --once, and else waited for", async () => {
    const ground = await makeGround({ config: CONFIG });
    await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
    const once = await ground.call(["watch", "ada", "nosuch", "--once", "--halt-after", "1ms"]);
    expect(once).toMatchObject({ exit: 4, stdout: "" });
    expect(once.stderr).toContain("(worker_unknown): a live worker or a holder of a live lease");
    expect(once.stderr).toContain('none is "nosuch"');
    await ground.done(["watch", "ada", "--once"]);
    const child = await ground.begin(["watch", "ada", "nosuch", "--every", "100ms"]);
    let [said, noted] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (noted += text));
    const ended = new Promise((resolve) => void child.once("close", resolve));
    await vi.waitFor(() => expect(said).toContain(" ada: "), polling);
    await ground.done(["lease", "acquire", "--lane", "docs", "--holder", "nosuch"]);
    await vi.waitFor(() => expect(said).toContain(" nosuch: "), polling);
    child.kill("SIGTERM");
    await ended;
    expect(noted).toBe('stint: nobody is called "nosuch" now; it is waited for\n');
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "it judges on and on, and ends by %s",
    async (signal) => {
      const ground = await makeGround({ config: CONFIG });
      await ground.spawn("one");
      const child = await ground.begin(["watch", "--every", "100ms", "--json"]);
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => void (said += text));
      child.stderr.resume();
      const ended = new Promise<number | null>((resolve) => {
        child.once("close", (exit) => resolve(exit));
      });
      await vi.waitFor(() => expect(said).toContain('"kind":"verdict"'), polling);
      // A verdict that is new is told by the same watch.
      await ground.done(["lease", "acquire", "--lane", "api", "--holder", "ada"]);
      await vi.waitFor(() => expect(said).toContain('"holder":"ada"'), polling);
      child.kill(signal);
      expect(await ended).toBe(signal === "SIGINT" ? 130 : 143);
      const last = JSON.parse(said.trimEnd().split("\n").at(-1) ?? "");
      expect(last).toMatchObject({ kind: "answer", ok: true });
      expect(last.data.round_count).toBeGreaterThan(1);
    },
  );
});
