import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { makeSite, recordLife, type Site } from "../recorded.ts";

beforeAll(async () => void (await builtBin()), 120_000);

/** Under what two workers were recorded, and a third refused. */
const FORCE = `
[contract]
max_replicas = 2
allow_degraded = ["same_user", "network"]
`;

function write(site: Site, name: string, text: string): string {
  writeFileSync(join(site.dir, name), text);
  return name;
}

async function headOf(site: Site): Promise<number> {
  const told = await site.call(["journal", "tail", "-n", "0", "--json"]);
  return told.json().data.head_seq;
}

describe("[WI8] `what-if` tries other rules on the record", () => {
  test("of the contract in force nothing differs", async () => {
    const site = makeSite();
    await recordLife(site);
    const before = await headOf(site);
    const same = write(site, "same.toml", FORCE);
    const told = await site.call([
      "what-if",
      "--contract",
      same,
      "--fail-on",
      "any",
      "--events",
      "--json",
    ]);
    expect(told).toMatchObject({ exit: 0 });
    expect(told.json()).toMatchObject({
      ok: true,
      seq: before,
      data: { from_seq: 2, different_count: 0, moot_count: 0, differences: [], until_seq: before },
    });
    const { command_count: count, same_count: sameCount } = told.json().data;
    expect(count).toBe(sameCount);
    expect(count).toBeGreaterThan(5);
    expect(await headOf(site)).toBe(before);
  });

  test("a looser one would have granted what was refused: exit 3 where that is asked", async () => {
    const site = makeSite();
    const { refusedSeq } = await recordLife(site);
    const loose = write(site, "loose.toml", FORCE.replace("= 2", "= 3"));
    const asked = ["what-if", "--contract", loose, "--json"];
    expect(await site.call(asked)).toMatchObject({ exit: 0 });
    const told = await site.call([...asked, "--fail-on", "granted"]);
    expect(told.exit).toBe(3);
    expect(told.json()).toMatchObject({
      ok: true,
      data: {
        different_by: { refused_to_granted: 1, granted_to_refused: 0 },
        differences: [
          {
            seq: refusedSeq,
            kind: "refused_to_granted",
            actor: { kind: "operator" },
            command: "worker.admit",
            recorded: "max_replicas",
            would_be: "granted",
          },
        ],
      },
    });
    const shown = await site.call(["what-if", "--contract", loose]);
    expect(shown.stdout).toMatch(/^\d+ commands from entry 2 on, as they would be:\n {2}the same/);
    expect(shown.stdout).toMatch(/\n {2}granted, was refused +1\n/);
    expect(shown.stdout).toMatch(/ worker\.admit +max_replicas +granted +live workers and/);
  });

  test("a tighter one would have refused what was granted, and what follows is moot", async () => {
    const site = makeSite();
    await recordLife(site);
    const tight = write(site, "tight.toml", FORCE.replace("= 2", "= 1"));
    const asked = ["what-if", "--contract", tight, "--json"];
    const told = await site.call([...asked, "--fail-on", "granted"]);
    expect(told.exit).toBe(0);
    expect(told.json().data).toMatchObject({
      different_by: { granted_to_refused: 1, refused_to_granted: 0 },
      differences: [{ recorded: "granted", would_be: "max_replicas" }],
    });
    expect(told.json().data.moot_by.never_was).toBeGreaterThan(0);
    expect(await site.call([...asked, "--fail-on", "any"])).toMatchObject({ exit: 3 });
    const none = await site.call([...asked, "-n", "0"]);
    expect(none.json().data).toMatchObject({ different_count: 1, differences: [], moots: [] });
  });

  test("lanes are tried as well, and JSON is read as it is shown", async () => {
    const site = makeSite();
    const fleet = await site.open();
    await fleet.enactGround({ lanes: [{ name: "api", region: "src/**" }] });
    await fleet.acquire({ holder: "ann", lane: "api" });
    await fleet.tryAcquire({ holder: "bob", region: "src/web/**" });
    await fleet.close();
    const lanes = write(site, "lanes.toml", `[lanes.api]\npaths = ["src/api/**"]\n`);
    const told = await site.call(["what-if", "--lanes", lanes, "--json"]);
    expect(told.json().data).toMatchObject({
      left_out_count: 1,
      differences: [{ recorded: "conflict", would_be: "granted" }],
    });
    const force = (await site.call(["contract", "show", "--json"])).stdout;
    const json = write(site, "force.json", force);
    const same = await site.call(["what-if", "--contract", json, "--lanes", json, "--json"]);
    expect(same.json().data).toMatchObject({ different_count: 0, left_out_count: 1 });
  });

  test("rules that could not have been in force are refused as they would have been", async () => {
    const site = makeSite();
    await recordLife(site);
    const fleet = await site.open({ maxReplicas: 2 });
    await fleet.kill({ reason: "over" });
    await fleet.close();
    const same = write(site, "same.toml", FORCE);
    const last = String(await headOf(site));
    const told = await site.call(["what-if", "--contract", same, "--from", last, "--json"]);
    expect(told.exit).toBe(3);
    expect(told.json()).toMatchObject({ ok: false, refusal: { code: "fleet_killed" } });
  });

  test("what cannot be understood is told", async () => {
    const site = makeSite();
    await recordLife(site);
    const broken = write(site, "broken.toml", "[contract]\nmax_replica = 2\n");
    const json = write(site, "broken.json", `{ "max_replicas": "two" }`);
    const cut = write(site, "cut.json", `{ "max_replicas": `);
    const told = async (...words: readonly string[]): Promise<string> => {
      const called = await site.call(["what-if", ...words]);
      expect(called.exit).toBe(2);
      return called.stderr;
    };
    expect(await told()).toContain("--contract must be given, --lanes, or both, got neither");
    expect(await told("--contract", "nowhere.toml")).toContain("nowhere.toml must be a file");
    expect(await told("--contract", broken)).toContain("did you mean max_replicas?");
    expect(await told("--contract", json)).toContain("max_replicas must be an integer");
    expect(await told("--contract", cut)).toContain("cut.json must be JSON");
    expect(await told("--contract", broken, "--fail-on", "all")).toContain("granted or any");
    expect(await told("--contract", broken, "--from", "1")).toContain("from 2 on");
    const whole = write(site, "whole.toml", FORCE);
    const end = await headOf(site);
    expect(await told("--contract", whole, "--from", String(end + 1))).toContain(
      `--from must be an entry up to ${end}, the last that is asked about, got ${end + 1}`,
    );
    const span = ["--from", "5", "--until", "4"];
    expect(await told("--contract", whole, ...span)).toContain("--from must be an entry up to 4");
  });
});
