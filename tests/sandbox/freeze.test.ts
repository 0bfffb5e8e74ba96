import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listProcesses } from "../support/process-table.ts";
import { HeldPipe } from "./holding.ts";
import { fixtures, kill, useGround } from "./state-folder.ts";

const ground = useGround();
const count = join(fixtures, "count.sh");
const tree = join(fixtures, "tree.sh");

const stepsIn = (file: string): number => readFileSync(file, "utf8").split("\n").length;

test("[SB18] a frozen worker makes no step while another does, and goes on after", async () => {
  const pipe = new HeldPipe(ground.folder);
  const [frozen, free] = [join(ground.folder, "frozen"), join(ground.folder, "free")];
  await ground.sandbox.start({ instance: "w-a", run: [count, pipe.path, frozen], files: {} });
  await ground.sandbox.start({ instance: "w-b", run: [count, pipe.path, free], files: {} });
  await pipe.ready(2);
  for (const file of [frozen, free]) {
    await expect.poll(() => existsSync(file) && stepsIn(file)).toBeGreaterThan(2);
  }
  await ground.sandbox.freeze("w-a");
  const [frozenBefore, freeBefore] = [stepsIn(frozen), stepsIn(free)];
  await expect.poll(() => stepsIn(free), { timeout: 10_000 }).toBeGreaterThan(freeBefore + 20);
  expect(stepsIn(frozen)).toBe(frozenBefore);
  await ground.sandbox.thaw("w-a");
  await expect.poll(() => stepsIn(frozen)).toBeGreaterThan(frozenBefore + 2);
});

test("[SB18] freezing stops every process of a tree, thawing lets every one run", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [tree, pipe.path, "2"] as const;
  const { pid } = await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  await pipe.ready(7);
  const states = (): Set<string> =>
    new Set(
      listProcesses()
        .filter((row) => row.sessionId === pid)
        .map((row) => row.state),
    );
  await ground.sandbox.freeze("w-a");
  // "D": waiting in vfork for a child that is stopped, and not to run before that goes on.
  expect([...states()].filter((state) => state !== "D")).toEqual(["T"]);
  await ground.sandbox.thaw("w-a");
  expect(states()).not.toContain("T");
});

test("[SB19] a frozen worker is killed without being let run", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [tree, pipe.path, "1"] as const;
  await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  await pipe.ready(3);
  await ground.sandbox.freeze("w-a");
  const startedAtMs = performance.now();
  // It could not hear a question: the grace is not waited for.
  const options = { graceMs: 600_000, deadlineMs: 10_000, by: "test" };
  expect((await ground.sandbox.stop("w-a", options))?.evidence.grade).toBe("swept");
  expect(performance.now() - startedAtMs).toBeLessThan(60_000);
  expect(await pipe.isReleased(10_000)).toBe(true);
});

test("[SB20] another process freezes and thaws what it did not start", async () => {
  const pipe = new HeldPipe(ground.folder);
  const file = join(ground.folder, "steps");
  const { pid } = await ground.sandbox.start({
    instance: "w-a",
    run: [count, pipe.path, file],
    files: {},
  });
  await pipe.ready(1);
  await expect.poll(() => existsSync(file)).toBe(true);
  const other = await ground.open();
  await other.freeze("w-a");
  const stateOf = (): string | undefined => listProcesses().find((row) => row.pid === pid)?.state;
  expect(stateOf()).toMatch(/^[TD]$/);
  const before = stepsIn(file);
  await other.thaw("w-a");
  await expect.poll(() => stepsIn(file)).toBeGreaterThan(before);
  await kill(other, "w-a");
});
