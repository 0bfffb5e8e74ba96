import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { HeldPipe } from "../holding.ts";
import { ENCLOSED } from "../rungs.ts";
import { fixtures, kill, marked, useGround } from "../state-folder.ts";

const daemons = join(fixtures, "daemons.sh");
const storm = join(fixtures, "storm.sh");
const releaseMs = 10_000;
/** Long enough for a survivor to be gone if it was going to be. */
const surviveMs = 300;

test("[RU1] without Stint what hides outlives its parent: counts can fail", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-control-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = new HeldPipe(folder);
  const parent = spawn(daemons, [pipe.path, "2"], { detached: true, stdio: "ignore" });
  const exited = once(parent, "exit");
  const pids = await pipe.ready(3);
  process.kill(-(parent.pid ?? Number.NaN), "SIGKILL");
  await exited;
  try {
    expect(await pipe.isReleased(surviveMs)).toBe(false);
  } finally {
    for (const pid of pids.filter((one) => one !== parent.pid)) process.kill(-pid, "SIGKILL");
  }
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU1] what hides from every sweep is gone after a stop (replication C3)", async () => {
    const pipe = new HeldPipe(ground.folder);
    await ground.sandbox.start({ instance: "w-a", run: [daemons, pipe.path, "5"], files: {} });
    await pipe.ready(6);
    const ending = await kill(ground.sandbox, "w-a");
    expect(await pipe.isReleased(releaseMs)).toBe(true);
    expect(marked(ground.fleet)).toEqual([]);
    expect(ending?.outcome).toMatchObject({ signal: "SIGKILL", killed_by: "test" });
  });

  test("[RU2] the evidence of an end that was seen names what was looked at", async () => {
    const pipe = new HeldPipe(ground.folder);
    await ground.sandbox.start({ instance: "w-a", run: [daemons, pipe.path, "2"], files: {} });
    await pipe.ready(3);
    const { grade, facts } = (await kill(ground.sandbox, "w-a"))?.evidence ?? {};
    expect(grade).toBe("observed");
    const cgroup = on.options.usesCgroups === false ? "none" : "empty and removed";
    const rung = on.options.rung;
    expect({ ...facts, killed: 0 }).toEqual({
      killed: 0,
      rung,
      namespace: "gone",
      cgroup,
      started: true,
    });
    // The wrapper, the keeper, the program and two daemons, and what these have started.
    expect(facts?.["killed"]).toBeGreaterThanOrEqual(5);
    // Whoever comes second tells of the same.
    const again = await kill(ground.sandbox, "w-a");
    expect(again?.evidence.facts["killed"]).toBe(facts?.["killed"]);
  });

  test("[RU19] a strike kills all there are, and whoever ends them then tells so", async () => {
    const pipe = new HeldPipe(ground.folder);
    const instances = ["w-a", "w-b"];
    for (const instance of instances)
      await ground.sandbox.start({ instance, run: [daemons, pipe.path, "2"], files: {} });
    await pipe.ready(6);
    await ground.sandbox.strike("test");
    // Without groups there is no order that reaches all; then each is ended by itself, as always.
    const isStruck = on.options.usesCgroups !== false && on.options.rung === "cgroup";
    const isReleased = !isStruck || (await pipe.isReleased(releaseMs));
    expect(isReleased).toBe(true);
    for (const instance of instances) {
      const ending = await kill(ground.sandbox, instance);
      expect(ending?.outcome).toMatchObject({ signal: "SIGKILL", killed_by: "test" });
      expect(ending?.evidence.facts["killed"]).toBeGreaterThanOrEqual(5);
    }
    expect(await pipe.isReleased(releaseMs)).toBe(true);
  });

  test("[RU1] 20 workers that start processes without end are all ended at once", async () => {
    const pipe = new HeldPipe(ground.folder);
    const instances = Array.from({ length: 20 }, (_, index) => `w-${index}`);
    const run = [storm, pipe.path] as const;
    const start = (instance: string): Promise<unknown> =>
      ground.sandbox.start({ instance, run: [...run], files: {} });
    await Promise.all(instances.map(start));
    await pipe.ready(20);
    const endings = await Promise.all(instances.map((name) => kill(ground.sandbox, name)));
    expect(endings.map((ending) => ending?.evidence.grade)).toEqual(
      instances.map(() => "observed"),
    );
    expect(await pipe.isReleased(releaseMs)).toBe(true);
    expect(marked(ground.fleet)).toEqual([]);
  }, 60_000);

  test("[RU10] a worker that is asked hears it, and its own exit code is told", async () => {
    const asked = join(ground.folder, "asked");
    const pipe = new HeldPipe(ground.folder);
    const polite = `
      trap 'echo asked > "$0"; exit 7' TERM
      exec 9> "$1"; echo "ready $$" >&9
      while :; do sleep 0.02; done`;
    const run = ["sh", "-c", polite, asked, pipe.path] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await pipe.ready(1);
    const options = { graceMs: 60_000, deadlineMs: 10_000, by: "test" };
    const ending = await ground.sandbox.stop("w-a", options);
    expect(readFileSync(asked, "utf8")).toBe("asked\n");
    expect(ending?.outcome).toMatchObject({ exit_code: 7, killed_by: "test" });
    expect(ending?.evidence.facts["killed"]).toBe(0);
  });

  test("[RU10] one that ignores the question is killed when the grace is over", async () => {
    const pipe = new HeldPipe(ground.folder);
    await ground.sandbox.start({ instance: "w-a", run: [daemons, pipe.path, "0"], files: {} });
    await pipe.ready(1);
    const options = { graceMs: 50, deadlineMs: 10_000, by: "test" };
    const ending = await ground.sandbox.stop("w-a", options);
    expect(ending?.outcome).toMatchObject({ signal: "SIGKILL", killed_by: "test" });
    expect(await pipe.isReleased(releaseMs)).toBe(true);
  });

  test("[RU10] one that dies of the question is told to have died of a signal", async () => {
    await ground.sandbox.start({ instance: "w-a", run: ["sleep", "60"], files: {} });
    const options = { graceMs: 60_000, deadlineMs: 10_000, by: "test" };
    const ending = await ground.sandbox.stop("w-a", options);
    expect(ending?.outcome).toMatchObject({ signal: "SIGTERM", killed_by: "test" });
  });

  test("[RU11] a worker ends with its program, and takes along what that has left", async () => {
    const pipe = new HeldPipe(ground.folder);
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const go = join(ground.folder, "go");
    const script = '"$0" "$1" 1 & while [ ! -e "$2" ]; do sleep 0.01; done; exit 5';
    const run = ["sh", "-c", script, daemons, pipe.path, go] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await pipe.ready(2);
    mkdirSync(go);
    await exited;
    expect(await pipe.isReleased(releaseMs)).toBe(true);
    expect((await ground.sandbox.list()).map(({ seen }) => seen)).toEqual(["gone"]);
    expect((await kill(ground.sandbox, "w-a"))?.outcome).toMatchObject({ exit_code: 5 });
  });

  test("[RU12] what loses its parent inside is reaped: no zombie stays in a worker", async () => {
    const out = join(ground.folder, "out");
    const script = readFileSync(join(fixtures, "orphans.sh"), "utf8");
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    await ground.sandbox.start({ instance: "w-a", run: ["sh", "-c", script, out], files: {} });
    await exited;
    expect(readFileSync(out, "utf8").trim()).toBe("0");
  });

  test("[RU13] exit codes pass through, the keeper's and the shell's own as well", async () => {
    for (const code of [0, 1, 125, 126, 127, 137, 255]) {
      const instance = `w-${code}`;
      const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
      await ground.sandbox.start({ instance, run: ["sh", "-c", `exit ${code}`], files: {} });
      await exited;
      const outcome = (await kill(ground.sandbox, instance))?.outcome;
      expect(outcome).toMatchObject({ exit_code: code });
      expect(outcome?.killed_by).toBeUndefined();
    }
  });

  test.each([
    ["stint-no-such-program", /"stint-no-such-program" must be (on PATH|executable), it/],
    ["/etc/passwd", /"\/etc\/passwd" must be executable, it is not/],
    ["/", /the program "\/" must be/],
  ])("[RU13] the program %s is a fault, and nothing is left", async (program, message) => {
    const spec = { instance: "w-a", run: [program] as [string], files: {} };
    const fault: unknown = await ground.sandbox.start(spec).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "sandbox_failed" });
    expect(String(fault)).toMatch(message);
    expect(marked(ground.fleet)).toEqual([]);
  });

  test("[RU13] without the fleet's permit nothing is started", async () => {
    const permitFile = join(ground.folder, "no-permit");
    const sandbox = await ground.open({ permitFile });
    const mark = join(ground.folder, "ran");
    const start = sandbox.start({ instance: "w-a", run: ["touch", mark], files: {} });
    await expect(start).rejects.toThrow("must have its permit");
    expect(existsSync(mark)).toBe(false);
    expect(marked(ground.fleet)).toEqual([]);
  });

  test("[RU14] a driver of the lowest rung ends what was started on a higher one", async () => {
    const pipe = new HeldPipe(ground.folder);
    await ground.sandbox.start({ instance: "w-a", run: [daemons, pipe.path, "3"], files: {} });
    await pipe.ready(4);
    const options = { stateFolder: ground.folder, fleet: ground.fleet };
    const other = await ground.open({ ...options, rung: "process-group" });
    await other.freeze("w-a");
    expect((await other.list()).map(({ seen }) => seen)).toEqual(["alive"]);
    await other.thaw("w-a");
    const ending = await kill(other, "w-a");
    expect(ending?.evidence.grade).toBe("observed");
    expect(await pipe.isReleased(releaseMs)).toBe(true);
  });

  test("[RU15] nothing of it moves while it is frozen, daemons included, till thawed", async () => {
    const file = join(ground.folder, "steps");
    const daemon = 'while :; do echo step >> "$0"; sleep 0.005; done';
    const script = 'setsid sh -c "$1" "$0" & wait';
    const run = ["sh", "-c", script, file, daemon] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    const steps = (): number => (existsSync(file) ? readFileSync(file, "utf8").length : 0);
    await expect.poll(steps).toBeGreaterThan(20);
    await ground.sandbox.freeze("w-a");
    const before = steps();
    await ground.sandbox.list();
    await ground.sandbox.list();
    expect(steps()).toBe(before);
    await ground.sandbox.thaw("w-a");
    await expect.poll(steps).toBeGreaterThan(before);
  });

  test("[RU15] what is frozen is killed without being asked or let run", async () => {
    const pipe = new HeldPipe(ground.folder);
    await ground.sandbox.start({ instance: "w-a", run: [daemons, pipe.path, "2"], files: {} });
    await pipe.ready(3);
    await ground.sandbox.freeze("w-a");
    const startedAtMs = performance.now();
    const options = { graceMs: 600_000, deadlineMs: 10_000, by: "test" };
    expect((await ground.sandbox.stop("w-a", options))?.evidence.grade).toBe("observed");
    expect(performance.now() - startedAtMs).toBeLessThan(60_000);
    expect(await pipe.isReleased(releaseMs)).toBe(true);
  });
});
