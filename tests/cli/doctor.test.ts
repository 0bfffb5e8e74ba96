import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Check } from "../../src/cli/doctor/check.ts";
import { describeContainment } from "../../src/cli/doctor/containment.ts";
import { checkMeasures } from "../../src/cli/doctor/measures.ts";
import type { KillCondition } from "../../src/kernel/fleet/contract.ts";
import { mounting, stage } from "./codes/stage.ts";
import { makeSite, recordLife, type Site } from "./recorded.ts";

async function examine(site: Site, args: readonly string[] = []) {
  const told = await site.call(["doctor", "--json", ...args]);
  const checks = told.json().data.checks as readonly Check[];
  const find = (name: string): Check | undefined => checks.find((check) => check.name === name);
  return { told, checks, find, fault: told.json().data.fault };
}

describe("[DR1] what works", () => {
  test("is said of host, containment and fleet, and exits with 0", async () => {
    const site = makeSite();
    await recordLife(site);
    const { told, checks, find, fault } = await examine(site);
    expect(told.exit).toBe(0);
    expect(fault).toBeNull();
    expect(checks.filter(({ status }) => status === "failed")).toEqual([]);
    for (const name of [
      "node",
      "sqlite",
      "processes",
      "state folder",
      "journal",
      "clock",
      "secret",
    ])
      expect(find(name)).toMatchObject({ status: "ok" });
    expect(find("permit")).toMatchObject({ status: "ok", detail: "there" });
    expect(find("supervisor")).toMatchObject({ status: "skipped" });
    expect(find("rung process-group")?.detail).toContain("never proven");
  });

  test("also where there is no fleet", async () => {
    const site = makeSite();
    const { told, find } = await examine(site);
    expect(told.exit).toBe(0);
    expect(find("fleet")).toMatchObject({ status: "skipped" });
    expect(find("fleet")?.detail).toContain("stint init");
    expect(readdirSync(site.dir)).toEqual([]);
    const meant = await site.call(["doctor", "--fleet", site.dir]);
    expect(meant.exit).toBe(2);
  });

  test("for people with a summary in the last line", async () => {
    const site = makeSite();
    await recordLife(site);
    const { stdout } = await site.call(["doctor"]);
    expect(stdout).toMatch(/^ok {6}node: Node \d/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^(All is well|\d+ checks? weaker)\.$/);
  });
});

describe("[DR2] what does not work exits with 5, its code and what helps", () => {
  const damages: Readonly<Record<string, (site: Site) => void>> = {
    secret_missing: ({ stateDir }) => rmSync(join(stateDir, "secret")),
    key_mismatch: ({ stateDir }) => writeFileSync(join(stateDir, "secret"), "y".repeat(40)),
    journal_missing: ({ stateDir }) => {
      for (const name of readdirSync(stateDir))
        if (name.startsWith("journal.db")) rmSync(join(stateDir, name));
    },
    journal_corrupt: ({ stateDir }) => {
      const file = join(stateDir, "journal.db");
      const bytes = readFileSync(file);
      bytes.fill(0x5a, 0, 512);
      writeFileSync(file, bytes);
    },
  };

  test.each(Object.keys(damages))("%s", async (code) => {
    const site = makeSite();
    await recordLife(site);
    damages[code]?.(site);
    const { told, checks, fault } = await examine(site);
    expect(told.exit).toBe(5);
    expect(fault).toMatchObject({ code });
    const failed = checks.find((check) => check.code === code);
    expect(failed).toMatchObject({ status: "failed" });
    expect(failed?.remedy).toMatch(/\S \S/);
  });

  test("a secret that others may read is as good as none", async () => {
    const site = makeSite();
    await recordLife(site);
    chmodSync(join(site.stateDir, "secret"), 0o644);
    const { told, find } = await examine(site);
    expect(told.exit).toBe(5);
    expect(find("secret")).toMatchObject({ status: "failed", code: "secret_missing" });
    expect(find("secret")?.detail).toContain("0600");
  });
});

describe("[DR3] what is weaker is named with its cost and remedy, and is no fault", () => {
  test("a state folder that others may write to", async () => {
    const site = makeSite();
    await recordLife(site);
    chmodSync(site.stateDir, 0o777);
    const { told, find } = await examine(site);
    expect(told.exit).toBe(0);
    expect(find("state folder")).toMatchObject({ status: "weaker" });
    expect(find("state folder")?.remedy).toContain("chmod go-w");
  });

  test("a permit that a kill has taken away already", async () => {
    const site = makeSite();
    await recordLife(site);
    const permit = readdirSync(site.stateDir).find((name) => name.startsWith("permit-"));
    renameSync(join(site.stateDir, permit ?? ""), join(site.dir, "elsewhere"));
    const { find } = await examine(site);
    expect(find("permit")).toMatchObject({ status: "weaker" });
  });

  test("a rung that does not work, and groups that hold less", () => {
    const rung = { works: false, hasNetworks: false, isClosed: false, costs: "stops are swept" };
    const why = "there is no program bwrap";
    const checks = describeContainment({
      rungs: [
        { ...rung, rung: "cgroup", why, remedy: "install bubblewrap" },
        { ...rung, rung: "pid-namespace", works: true, why: "no new networks" },
        { ...rung, rung: "process-group", works: true },
      ],
      missing: [
        { what: "memory", why: "not delegated", remedy: "delegate it" },
        { what: "cpu", why: "not delegated", remedy: "delegate it" },
      ],
      engine: { words: "Podman 4.3.1", socket: "/run/x.sock" },
    });
    expect(checks).toEqual([
      {
        name: "rung cgroup",
        status: "weaker",
        detail: why,
        costs: "stops are swept",
        remedy: "install bubblewrap",
      },
      {
        name: "rung pid-namespace",
        status: "weaker",
        detail: "works (no new networks), but gives nobody a network of its own",
        costs: "no network can be kept from workers",
      },
      { name: "rung process-group", status: "ok", detail: "works; stops are swept" },
      {
        name: "control groups",
        status: "weaker",
        detail: "memory and cpu: not delegated",
        costs: "memory_bytes of a budget binds nobody; cpu_milli of a budget binds nobody",
        remedy: "delegate it",
      },
      {
        name: "containers",
        status: "ok",
        detail: "Podman 4.3.1 at /run/x.sock: stint supervise --driver container --image …",
      },
    ]);
  });

  test("an engine for containers that is not there: who wants none misses none", () => {
    const [, engine] = describeContainment({
      rungs: [],
      missing: [],
      engine: { why: "nothing listens" },
    });
    const detail = "nothing listens; workers run as processes";
    expect(engine).toEqual({ name: "containers", status: "skipped", detail });
  });
});

describe("[DR5] a kill condition on what is not measured here is named", () => {
  const condition = (when: string): KillCondition => ({
    name: "big",
    when,
    for_ms: 0,
    action: "pause",
  });
  const missing = [{ what: "memory", why: "not delegated", remedy: "delegate it" }] as const;
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ["memory", "has(worker.memory_bytes) && worker.memory_bytes > 9", "worker.memory_bytes"],
    ["the fleet's", "fleet.memory_bytes > 9", "fleet.memory_bytes"],
    ["what is measured", "worker.processes > 9 && worker.cpu_ms > 1", undefined],
    ["what was granted", "has(worker.budget.memory_bytes)", undefined],
  ];

  test.each(cases)("of a condition on %s", (_, when, said) => {
    const [check, ...others] = checkMeasures([condition(when)], { missing });
    expect(others).toEqual([]);
    expect(check?.detail).toBe(said && `"big" asks for ${said}, not measured here`);
    expect(check?.remedy).toBe(said && "delegate it");
    expect(checkMeasures([condition(when)], { missing: [] })).toEqual([]);
  });

  test("of the contract in force, as `stint doctor` looks at this very host", async () => {
    const when = "has(worker.memory_bytes) && worker.memory_bytes > 9";
    const on = await stage({ contract: { kill_when: [condition(when)] } });
    const look = async (so: { readonly within?: readonly string[] }): Promise<readonly Check[]> =>
      (await on.call(["doctor", "--json"], so)).json().data.checks;
    const named = (checks: readonly Check[]): boolean =>
      checks.some(({ name }) => name === "kill_when");
    const hidden = await look({ within: mounting("mount -t tmpfs none /sys/fs/cgroup") });
    expect(named(hidden)).toBe(true);
    const groups = (await look({})).find(({ name }) => name === "control groups");
    expect(named(await look({}))).toBe(/memory.*:/.test(groups?.detail ?? ""));
  });
});

test("[DR4] nothing is changed by it", async () => {
  const site = makeSite();
  await recordLife(site);
  const before = snapshotOf(site);
  await examine(site);
  expect(snapshotOf(site)).toEqual(before);
});

/** Names, modes and contents, but for what SQLite lays beside a database while it is open. */
function snapshotOf({ stateDir }: Site): readonly unknown[] {
  return readdirSync(stateDir)
    .filter((name) => !/-(wal|shm)$/.test(name))
    .toSorted()
    .map((name) => {
      const { mode } = statSync(join(stateDir, name));
      const isFile = statSync(join(stateDir, name)).isFile();
      return [name, mode, isFile ? readFileSync(join(stateDir, name)).toString("base64") : ""];
    });
}
