import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { builtBin, type Answer, type Called } from "../support/cli.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const WITHIN = { timeout: 60_000, interval: 200 };

const EXPECTED = `[roster]\nexpected = ["api"]\n`;

async function rollOf(ground: Ground): Promise<Answer> {
  return (await ground.done(["roll", "--json"])).json().data;
}

async function statusOf(ground: Ground, name: string): Promise<string | undefined> {
  const { expected, unexpected } = (await rollOf(ground)).sections;
  return [...expected, ...unexpected].find((row: Answer) => row.name === name)?.status;
}

/** Has a program beat until it is told to end, or the test is over; what it says is gathered. */
async function beating(
  ground: Ground,
  words: readonly string[],
): Promise<{ readonly child: ChildProcess; said: () => string; noted: () => string }> {
  const child = await ground.begin(["beat", "--every", "1s", ...words]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let [said, noted] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (noted += text));
  return { child, said: () => said, noted: () => noted };
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("exit", resolve);
  });

test("[RW20] who beats before a supervisor runs is heard once one does (health 4)", async () => {
  const ground = await makeGround({ config: EXPECTED });
  const { child, noted } = await beating(ground, ["--name", "api", "--instance", "blue"]);
  await vi.waitFor(() => expect(noted()).toContain("no supervisor answers"), WITHIN);
  const before = await ground.done(["roll"]);
  expect(before.stdout).toContain("no bus: no supervisor runs");
  expect(before.stdout).toMatch(/api +unknown/);
  await ground.spawn("one");
  await vi.waitFor(async () => {
    const [row] = (await rollOf(ground)).sections.expected[1].instances;
    expect(row).toMatchObject({ status: "ok", history: [{ to: "ok" }] });
  }, WITHIN);
  ground.killSupervisor();
  await vi.waitFor(async () => expect(await statusOf(ground, "api")).toBe("unknown"), WITHIN);
  const dead = await rollOf(ground);
  expect(dead.bus).toEqual({ up: false, why: expect.stringContaining("no bus") });
  const [row] = dead.sections.expected[1].instances;
  expect(row).toMatchObject({ instance: "blue", status: "unknown" });
  expect(row.last_heard_at_ms).toBeGreaterThan(0);
  await ground.spawn("two");
  await vi.waitFor(async () => expect(await statusOf(ground, "api")).toBe("ok"), WITHIN);
  expect(noted()).toContain("a supervisor answers again");
  child.kill("SIGINT");
  expect(await exitOf(child)).toBe(130);
  await vi.waitFor(async () => expect(await statusOf(ground, "api")).toBe("stopped"), WITHIN);
});

test("[RW21] what is asked is printed, and stop ends with a goodbye (health 8)", async () => {
  const ground = await makeGround();
  await ground.spawn("one");
  const api = await beating(ground, ["--name", "api", "--instance", "1", "--json"]);
  const other = await beating(ground, ["--name", "api", "--instance", "2", "--json"]);
  const okRows = async (): Promise<number> =>
    (await rollOf(ground)).sections.unexpected
      .flatMap((row: Answer) => row.instances)
      .filter((row: Answer) => row.status === "ok" && row.history.length > 0).length;
  await vi.waitFor(async () => expect(await okRows()).toBe(2), WITHIN);
  const asked = await control(ground, { name: "api", instance: "1", action: "stop" });
  expect(asked).toMatchObject({ ok: true });
  expect(await exitOf(api.child)).toBe(0);
  const lines = api
    .said()
    .trim()
    .split("\n")
    .map((line): Answer => JSON.parse(line));
  expect(lines[0]).toMatchObject({ kind: "control", action: "stop", name: "api" });
  expect(lines.at(-1)).toMatchObject({ ok: true, data: { said_goodbye: true } });
  await vi.waitFor(async () => {
    const [row] = (await rollOf(ground)).sections.unexpected;
    expect(row.instances).toMatchObject([{ status: "stopped" }, { status: "ok" }]);
    expect(row.status).toBe("ok");
  }, WITHIN);
  expect(other.child.exitCode).toBeNull();
});

test("[RW22] one beat is given by --once, and one that is none is a usage error", async () => {
  const ground = await makeGround();
  const beat = (...words: string[]): Promise<Called> =>
    ground.call(["beat", "--once", "--json", ...words]);
  expect(await beat("--name", "api")).toMatchObject({ exit: 5 });
  await ground.spawn("one");
  const words = ["--name", "api", "--instance", "1", "--progress", "7", "--extra", '{"queue":3}'];
  const given = await beat(...words);
  expect(given.json()).toMatchObject({ ok: true, data: { beat_count: 1, said_goodbye: false } });
  const [row] = (await rollOf(ground)).sections.unexpected;
  expect(row.instances).toMatchObject([
    { instance: "1", status: "ok", progress: 7, extra: { queue: 3 }, count: 1 },
  ]);
  for (const wrong of [
    ["--name", "a.b"],
    ["--name", "stint"],
    ["--name", "api", "--instance", "w-aaaaaaaaaaaaaaaa"],
    ["--name", "api", "--said", "dead"],
    ["--name", "api", "--progress", "-1"],
    ["--name", "api", "--extra", "[]"],
    ["--name", "api", "--every", "1ms"],
    [],
  ])
    expect(await beat(...wrong)).toMatchObject({ exit: 2 });
  expect(await ground.call(["beat", "--name", "api", "--said", "stopped"])).toMatchObject({
    exit: 2,
  });
  const text = (await ground.done(["roll"])).stdout;
  expect(text).toMatch(/stint .* ok/);
  expect(text).toContain("not expected by the roster:");
  expect(text).toMatch(/api +1 +ok .* progress 7/);
});

test("[RW23] --watch tells each change once, and ends on Ctrl-C", async () => {
  const ground = await makeGround();
  await ground.spawn("one");
  const watching = await ground.begin(["roll", "--watch", "--every", "100ms"]);
  onTestFinished(() => void watching.kill("SIGKILL"));
  let said = "";
  watching.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await vi.waitFor(() => expect(said).toContain("stint ok"), WITHIN);
  await ground.done(["beat", "--once", "--name", "api", "--instance", "1"]);
  await vi.waitFor(() => expect(said).toContain("api/1 ok"), WITHIN);
  await ground.done(["beat", "--once", "--name", "api", "--instance", "1", "--said", "stopped"]);
  await vi.waitFor(() => expect(said).toContain("api/1 ok → stopped"), WITHIN);
  watching.kill("SIGINT");
  expect(await exitOf(watching)).toBe(130);
  expect(said.split("api/1 ok → stopped")).toHaveLength(2);
});

/** Asks something of an instance, as the operator, over the socket. */
async function control(ground: Ground, data: object): Promise<object> {
  const { ask } = await import("../supervisor/fixtures/ask.ts");
  const read = (file: string): string => readFileSync(join(ground.stateDir, file), "utf8");
  const { socket } = JSON.parse(read("supervisor.json")) as { readonly socket: string };
  const body = {
    id: "c-roll",
    command: { kind: "control.request", data: { ttl_ms: 60_000, ...data } },
    by: { kind: "operator", via: "cli" },
  };
  const token = read("operator.token").trim();
  return (await ask({ socket, token, path: "/v1/commands", body })).body;
}
