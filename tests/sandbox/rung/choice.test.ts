import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openProcessSandbox } from "../../../src/sandbox/process/process-sandbox.ts";
import { contain } from "../../../src/sandbox/process/rung/containment.ts";
import { keeperCommand, keeperScript } from "../../../src/sandbox/process/rung/keeper.ts";
import { probeRungs, RUNGS } from "../../../src/sandbox/process/rung/probe.ts";
import { foldersBetween, resolveView } from "../../../src/sandbox/process/rung/view.ts";
import { needs, needsProgram } from "../../support/require-all.ts";
import { CASES, needsRung } from "../rungs.ts";

const wanted = { fleet: "f-choice", usesCgroups: true } as const;

test("[RU9] every rung is tried by starting a program on it, the best comes first", async () => {
  const probed = await probeRungs();
  expect(probed.map(({ rung }) => rung)).toEqual(RUNGS);
  expect(probed.at(-1)?.works).toBe(true);
  for (const { costs } of probed) expect(costs.length).toBeGreaterThan(20);
  const best = await contain({ ...wanted, rung: "best" });
  expect(best.rung).toBe(probed.find(({ works }) => works)?.rung);
});

test("[RU9] a rung that does not work here is a fault that says what is missing", () => {
  needs(process.getuid?.() === 0, "only root can take programs away from a process");
  needsProgram("unshare");
  const folder = mkdtempSync(join(tmpdir(), "stint-rungless-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // A process on whose host none of the programs can be run.
  const script = `
    for name in bwrap unshare setpriv; do
      file=$(command -v "$name") && mount --bind /dev/null "$file"
    done
    exec "$@"`;
  const program = [process.execPath, join(import.meta.dirname, "../fixtures/rungless.ts"), folder];
  const args = ["--mount", "sh", "-c", script, "sh", ...program];
  const answer = spawnSync("unshare", args, { encoding: "utf8" });
  const { faults, best } = JSON.parse(answer.stdout) as Record<string, unknown>;
  expect(faults).toEqual([
    expect.stringMatching(/^sandbox_unavailable: the rung "cgroup" must work here, got: .*install/),
    expect.stringMatching(/^sandbox_unavailable: the rung "pid-namespace" must work .*install/),
  ]);
  expect(best).toBe("process group, swept");
});

describe.each(CASES)("on the rung $name", (on) => {
  test("[RU9] a driver says what it cannot hold, and no more than that", async () => {
    await needsRung(on);
    const stateFolder = mkdtempSync(join(tmpdir(), "stint-choice-"));
    onTestFinished(() => rmSync(stateFolder, { recursive: true }));
    const sandbox = await openProcessSandbox({ ...on.options, stateFolder, fleet: "f-choice" });
    onTestFinished(() => sandbox.close());
    const isLowest = on.options.rung === "process-group";
    expect(sandbox.degraded.includes("same_user")).toBe(isLowest);
    const { cgroups } = await contain({
      ...wanted,
      ...on.options,
      rung: on.options.rung ?? "best",
    });
    for (const limit of ["memory", "cpu", "processes"] as const) {
      expect(sandbox.degraded.includes(limit)).toBe(cgroups?.can[limit] !== true);
    }
    expect(sandbox.rung).toMatch(isLowest ? /^process group/ : /PID and mount namespaces by/);
    expect(sandbox.rung.startsWith("control group")).toBe(cgroups !== undefined);
  });
});

test("[RU7] a script cut short anywhere lets nothing run, the whole one does", () => {
  const script = keeperScript({ FIRST: "one\ntwo", stint_go: "yes", LAST: "}" });
  const [shell = "", ...args] = keeperCommand(["echo", "ran"]);
  // As a program of its own it has no line; here it gets the script for one.
  const run = (text: string): string => {
    const keeper = ["-c", 'exec 3<&0; exec "$@" 3<&3', "sh", shell, ...args];
    return spawnSync("/bin/sh", keeper, { input: text, encoding: "utf8" }).stdout;
  };
  expect(run(script)).toContain("ran");
  const cuts = Array.from({ length: script.length - 2 }, (_, length) => script.slice(0, length));
  const some = cuts.filter((_, index) => index % 5 === 0 || index > cuts.length - 5);
  expect(some.filter((cut) => run(cut).includes("ran"))).toEqual([]);
});

test("[RU6] hidden folders in each other are one, and what is shown lies in one", () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-view-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const base = { cwd: "/", hasNetwork: true };
  expect(
    resolveView({ ...base, hidden: [folder, tmpdir(), folder, "/stint-none"], visible: ["/usr"] }),
  ).toEqual({ ...base, hidden: [tmpdir()], visible: [] });
  expect(resolveView({ ...base, hidden: [tmpdir()], visible: [folder] }).visible).toEqual([folder]);
  expect(foldersBetween("/a", "/a/b/c/d")).toEqual(["/a/b", "/a/b/c"]);
  expect(foldersBetween("/a", "/a/b")).toEqual([]);
});
