import { expect, test } from "vitest";
import {
  environmentFor,
  parseVariable,
  setVariables,
} from "../../src/cli/launching/environment.ts";
import { exitCodeOf } from "../../src/cli/launching/exit-code.ts";
import { parseCommandReason } from "../../src/cli/launching/command-reason.ts";
import { parseLaunch } from "../../src/cli/launching/launch.ts";
import { passOn } from "../../src/cli/launching/passing-on.ts";
import { inTreeOrder } from "../../src/cli/roster/tree.ts";
import { findTargets } from "../../src/cli/stops/targets.ts";
import type { OutputFrame } from "../../src/output/frame.ts";

test("[CV10] a worker has what finds its way from its caller, and secrets only by name", () => {
  const caller = {
    PATH: "/bin",
    HOME: "/home/u",
    LC_ALL: "C",
    TZ: "UTC",
    AWS_SECRET_ACCESS_KEY: "s",
    STINT_WORKER_TOKEN_FILE: "/t",
    LANG: undefined,
  };
  expect(environmentFor(caller, [])).toEqual({
    PATH: "/bin",
    HOME: "/home/u",
    LC_ALL: "C",
    TZ: "UTC",
  });
  const given = ["KEY=a=b", "PATH=/opt", "EMPTY=", "SECRET"].map(parseVariable);
  const from = { PATH: "/bin", SECRET: "s" };
  expect(environmentFor(from, setVariables(from, given))).toEqual({
    PATH: "/opt",
    KEY: "a=b",
    EMPTY: "",
    SECRET: "s",
  });
  expect(() => setVariables({}, given)).toThrow(/^--env must be a variable that is set here/);
});

test.each(["STINT_HOST_ID", "=x", "1A=x", "A B=x", "STINT_FLEET=x", ""])(
  "[CV10] the variable %j is an InputError",
  (text) => {
    expect(() => parseVariable(text)).toThrow(/^--env must be /);
  },
);

test.each([
  [{ exitCode: 0 }, 0],
  [{ exitCode: 3 }, 3],
  [{ signal: "SIGTERM" }, 143],
  [{ signal: "SIGKILL", oomKilled: true }, 137],
  [{ exitCode: 137, killedBy: "requested" }, 137],
  [{ killedBy: "requested" }, 137],
  [{ timedOut: true }, 137],
  [{ signal: "SIGUNHEARDOF" }, 1],
  [{}, 1],
])("[CV11] the outcome %j exits with %i", (outcome, code) => {
  expect(exitCodeOf(outcome)).toBe(code);
});

function launch(words: readonly string[], options: Readonly<Record<string, unknown>> = {}) {
  return parseLaunch({ parameters: [words], options }, { network: "open", env: { PATH: "/bin" } });
}

test("[CV12] what was typed becomes what is asked for, nothing added", () => {
  expect(launch(["/usr/bin/node", "a.js"], { cpu: 500, wall: 30_000, cwd: "/" })).toEqual({
    name: "node",
    parent: undefined,
    runId: undefined,
    reason: expect.stringMatching(/^stint run node sha256:[0-9a-f]{16}$/),
    state: {},
    budget: { cpuMilli: 500, wallMs: 30_000 },
    network: undefined,
    networkDefault: "open",
    run: ["/usr/bin/node", "a.js"],
    cwd: "/",
    env: { PATH: "/bin" },
  });
});

test("[CV12] the arguments of a command are not for the record, a digest of them is", () => {
  const [one, other] = [launch(["a", "--token", "s3cret"]), launch(["a", "--token", "other"])];
  expect(one.reason).not.toContain("s3cret");
  expect(one.reason).not.toBe(other.reason);
  expect(launch(["a", "--token", "s3cret"]).reason).toBe(one.reason);
});

test("[CV12] a reason that is given stands before the command, if there is room for both", () => {
  const { reason } = launch(["a"], { reason: "ticket; 7" });
  expect(reason).toMatch(/^ticket; 7; stint run a sha256:[0-9a-f]{16}$/);
  expect(parseCommandReason(reason)).toMatchObject({ program: "a", why: "ticket; 7" });
  expect(parseCommandReason(launch(["a b"]).reason)).toMatchObject({
    program: "a b",
    why: undefined,
  });
  expect(parseCommandReason("because")).toBe(undefined);
  const room = 1_024 - Buffer.byteLength(launch(["a"]).reason) - "; ".length;
  expect(Buffer.byteLength(launch(["a"], { reason: "x".repeat(room) }).reason)).toBe(1_024);
  expect(() => launch(["a"], { reason: "x".repeat(room + 1) })).toThrow(
    `--reason must be at most ${room} bytes`,
  );
});

test.each([
  ["./-x y!.sh", "x-y-.sh"],
  ["/opt/ünï", "n-"],
  ["---", "command"],
  [`/bin/${"a".repeat(80)}`, "a".repeat(64)],
])("[CV12] the command %j is labelled %j", (program, name) => {
  expect(launch([program]).name).toBe(name);
});

test("[CV12] a command that is none, and a folder that is none, are InputErrors", () => {
  expect(() => launch([])).toThrow(/^command must be a program and its arguments after --/);
  expect(() => launch(["a"], { cwd: "/nowhere/at/all" })).toThrow(/^--cwd must be a folder/);
});

test("[CV13] output keeps its bytes, its order and its stream", async () => {
  const written: string[] = [];
  const sink = (name: string) => ({
    writable: true,
    write: (bytes: Uint8Array) => written.push(`${name}:${Buffer.from(bytes).toString("hex")}`) > 0,
  });
  const lost: number[] = [];
  const at = { at_ms: 1, offset_bytes: 0 };
  async function* frames(): AsyncGenerator<OutputFrame> {
    yield { ...at, stream: "stdout", text: "ä" };
    yield { ...at, stream: "stderr", base64: Buffer.from([0xff, 0]).toString("base64") };
    yield { ...at, lost_bytes: 7 };
    yield { ...at, stream: "stdout", text: "b" };
  }
  await passOn(frames(), {
    stdout: sink("out") as unknown as NodeJS.WritableStream,
    stderr: sink("err") as unknown as NodeJS.WritableStream,
    onLost: (bytes) => lost.push(bytes),
  });
  expect(written).toEqual(["out:c3a4", "err:ff00", "out:62"]);
  expect(lost).toEqual([7]);
});

test("[CV20] a tree lists parents first, each family together, orphans of the list on top", () => {
  const rows = [
    { id: "b", parent: "a" },
    { id: "a", parent: null },
    { id: "d", parent: "b" },
    { id: "c", parent: "a" },
    { id: "x", parent: "gone" },
  ];
  const ordered = inTreeOrder(rows, (row) => row);
  expect(ordered.map(({ item, level }) => `${level}${item.id}`)).toEqual([
    "0a",
    "1b",
    "2d",
    "1c",
    "0x",
  ]);
});

test("[CV21] the workers of a stop are named in one way", () => {
  const rows = [
    { id: "w-1", name: "a" },
    { id: "w-2", name: "b" },
    { id: "w-3", name: "a" },
  ];
  // Only ids and names of workers are looked at.
  const fleet = { workers: () => rows } as unknown as Parameters<typeof findTargets>[0];
  const find = (ids: string[], isAll: boolean, name?: string): readonly string[] =>
    findTargets(fleet, { ids, isAll, name });
  expect(find(["w-9"], false)).toEqual(["w-9"]);
  expect(find([], true)).toEqual(["w-1", "w-2", "w-3"]);
  expect(find([], false, "a")).toEqual(["w-1", "w-3"]);
  expect(() => find([], false, "z")).toThrow(/^worker_unknown: --name must be the name of/);
  expect(() => find([], false)).toThrow(/^the workers must be named by .* got nothing$/);
  expect(() => find(["w-1"], true)).toThrow(/got 2 of them$/);
});
