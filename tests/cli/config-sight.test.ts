import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Check } from "../../src/cli/doctor/check.ts";
import { makeGround, type Ground } from "./ground.ts";
import { makeSite } from "./recorded.ts";

/** Texts of a `stint.toml` that is none, and of what is said of each. */
const BROKEN = [
  ["[contract\n", /stint\.toml:\d+:\d+ must be TOML/],
  ["[contract]\nmax_replica = 3\n", /stint\.toml:2: contract\.max_replica .*max_replicas\?/],
] as const;

function write(ground: Ground, text: string): void {
  writeFileSync(join(ground.dir, "stint.toml"), text);
}

describe("[CL30] a stint.toml that is not in force", () => {
  test("is told by stint alone, contract show and init", async () => {
    const ground = await makeGround();
    for (const args of [[], ["init"], ["contract", "show"]])
      expect(await ground.call(args)).toMatchObject({ exit: 0, stderr: "" });
    expect((await ground.call(["--json"])).json().data.config_status).toBe("in_force");
    appendFileSync(join(ground.dir, "stint.toml"), '\n[contract.budget]\nmemory = "1GiB"\n');
    for (const args of [[], ["init"], ["contract", "show"]]) {
      const { exit, stderr } = await ground.call(args);
      expect(exit).toBe(0);
      expect(stderr).toContain("stint.toml proposes 1 change to the contract, not in force yet");
    }
    const told = await ground.call(["--json"]);
    expect(told.stderr).toBe("");
    expect(told.json().data.config_status).toBe("proposes");
  });

  test.each(BROKEN)("is told by all who could rely on it when it is %j", async (text, why) => {
    const ground = await makeGround();
    write(ground, text);
    for (const args of [
      [],
      ["init"],
      ["contract", "show"],
      ["run", "--", "true"],
      ["spawn", "--", "true"],
    ]) {
      const { exit, stderr } = await ground.call(args);
      expect({ args, exit }).toEqual({ args, exit: 0 });
      expect(stderr).toMatch(/^note: .*stint\.toml cannot be read, and the contract in force/m);
      expect(stderr).toMatch(why);
    }
    expect((await ground.call(["--json"])).json().data.config_status).toBe("broken");
    const quiet = await ground.call(["run", "--json", "--", "true"]);
    expect(quiet).toMatchObject({ exit: 0, stderr: "" });
  });
});

describe("[CL30] doctor", () => {
  test.each(BROKEN)(
    "fails where a stint.toml is %j, with a fleet and without",
    async (text, why) => {
      const site = makeSite();
      writeFileSync(join(site.dir, "stint.toml"), text);
      for (const hasFleet of [false, true]) {
        if (hasFleet) await (await site.open()).close();
        const told = await site.call(["doctor", "--json"]);
        expect(told.exit).toBe(5);
        const checks = told.json().data.checks as readonly Check[];
        const check = checks.find(({ name }) => name === "stint.toml");
        expect(check).toMatchObject({ status: "failed", remedy: expect.stringContaining("lint") });
        expect(check?.detail).toMatch(why);
        expect(told.json().data.fault.message).toMatch(why);
      }
    },
  );

  test("says whether one that can be read is in force", async () => {
    const site = makeSite();
    await (await site.open()).close();
    const detail = async () => {
      const checks = (await site.call(["doctor", "--json"])).json().data.checks;
      return (checks as readonly Check[]).find(({ name }) => name === "stint.toml");
    };
    expect(await detail()).toBeUndefined();
    const allowed = '[contract]\nallow_degraded = ["same_user", "network"]\n';
    writeFileSync(join(site.dir, "stint.toml"), allowed);
    expect(await detail()).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("well formed"),
    });
    writeFileSync(join(site.dir, "stint.toml"), `${allowed}max_replicas = 3\n`);
    expect(await detail()).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("1 change to the contract not in force"),
    });
  });
});
