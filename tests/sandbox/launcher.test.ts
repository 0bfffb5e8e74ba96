import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { SandboxSpec } from "../../src/ports/sandbox.ts";
import { spawnLauncher } from "../../src/sandbox/process/launcher.ts";
import { fixtures, useGround } from "./state-folder.ts";

const ground = useGround();

/** Linux takes no argument longer than this, its NUL included (`MAX_ARG_STRLEN`). */
const argumentBytesMax = 131_072;
const long = "x".repeat(argumentBytesMax);

/** What the operating system refuses a start for. Node throws some of it and emits the rest. */
const refused: readonly (readonly [string, Partial<SandboxSpec>, RegExp])[] = [
  ["an argument too long", { run: ["echo", long] }, /^echo must be startable in .*E2BIG/],
  ["a variable too long", { env: { LONG: long } }, /E2BIG/],
  ["a program's name too long", { run: [long] }, /^x{200}… must be startable in .*E2BIG/],
  ["all arguments together too long", { run: ["echo", ...tooMany()] }, /E2BIG/],
  ["a working directory that is a file", { cwd: import.meta.filename }, /ENOTDIR/],
  ["a working directory too long", { cwd: `/${long}` }, /in \/x{199}…, got: .*ENAMETOOLONG/],
  ["a working directory that is missing", { cwd: "/stint-no-such-folder" }, /ENOENT/],
];

function tooMany(): readonly string[] {
  return Array.from({ length: 100 }, () => long.slice(1));
}

test.each(refused)("[SB28] %s is a fault of the sandbox, and nothing is left", async (...row) => {
  const [, changes, message] = row;
  const spec: SandboxSpec = { instance: "w-a", run: ["true"], files: {}, ...changes };
  const fault: unknown = await ground.sandbox.start(spec).then(
    () => expect.fail("the start must fail"),
    (error: unknown) => error,
  );
  expect(fault).toMatchObject({ name: "Fault", code: "sandbox_failed" });
  expect((fault as Error).message).toMatch(message);
  expect((fault as Error).message.length).toBeLessThan(1_000);
  expect((fault as Error).cause).toBeInstanceOf(Error);
  expect(existsSync(join(ground.sandbox.folder("w-a"), "permit"))).toBe(false);
  expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["gone"]);
});

test("[SB28] without descriptors for a launcher a start is a fault, nothing is left", async () => {
  const args = [
    "64",
    process.execPath,
    join(import.meta.dirname, "fixtures/starved-starter.ts"),
    ground.folder,
    ground.fleet,
  ];
  const starter = spawn(join(fixtures, "short-of-descriptors.sh"), args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(starter, "exit");
  expect(await text(starter.stdout)).toMatch(/^sandbox_failed: sleep must be startable .*EMFILE/);
  expect(await exited).toEqual([0, null]);
  const [record] = await ground.sandbox.list();
  expect(record).toMatchObject({ instance: "w-starved", seen: "gone" });
});

test("[SY15] a claim that cannot be written is a fault of storage, no sandbox fault", async () => {
  const stateFolder = join(ground.folder, "broken");
  mkdirSync(stateFolder);
  const sandbox = await ground.open({ stateFolder });
  rmSync(join(stateFolder, "sandboxes"), { recursive: true });
  writeFileSync(join(stateFolder, "sandboxes"), "");
  const start = sandbox.start({ instance: "w-a", run: ["true"], files: {} });
  await expect(start).rejects.toMatchObject({ name: "Fault", code: "storage_failed" });
});

test("[SY15] an output that cannot be opened is no fault of the sandbox either", async () => {
  const spec: SandboxSpec = { instance: "w-a", run: ["true"], files: {} };
  const folder = join(ground.folder, "missing");
  const launch = { spec, folder, fleet: ground.fleet, host: "here", permitFile: undefined };
  await expect(spawnLauncher(launch)).rejects.toMatchObject({ name: "Error", code: "ENOENT" });
});

test("[SY15] what only a bug hands to a start stays the error that it is", async () => {
  const spec: SandboxSpec = { instance: "w-a", run: ["true"], cwd: "a\0b", files: {} };
  const { folder, fleet } = ground;
  const launch = { spec, folder, fleet, host: "here", permitFile: undefined };
  const code = "ERR_INVALID_ARG_VALUE";
  await expect(spawnLauncher(launch)).rejects.toMatchObject({ name: "TypeError", code });
});
