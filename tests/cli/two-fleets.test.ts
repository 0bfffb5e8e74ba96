// One repository with two fleets: one that `stint init` began, and one that a program keeps.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFleet, sqlite } from "stint";
import { needsProgram } from "../support/require-all.ts";
import { makeSite, type Site } from "./recorded.ts";

/** A folder that is a repository. */
function makeRepository(): Site {
  needsProgram("git");
  const site = makeSite();
  execFileSync("git", ["init", "-q"], { cwd: site.dir });
  return site;
}

async function whichIs(site: Site, args: readonly string[] = []): Promise<string> {
  return (await site.call(["where", "--json", ...args])).json().data.state_dir;
}

describe("[CL29] where a program keeps a fleet in a repository that has one", () => {
  test("every verb means that of the repository, init too, and names the other", async () => {
    const site = makeRepository();
    const shared = join(site.dir, ".git/stint");
    await site.call(["init"]);
    await (await site.open()).close();
    expect(await whichIs(site)).toBe(shared);
    const verbs = [[], ["init"], ["where"], ["workers"], ["pause"], ["resume"], ["doctor"]];
    for (const args of verbs) {
      const { exit, stderr } = await site.call(args);
      expect({ args, exit }).toEqual({ args, exit: 0 });
      expect(stderr).toContain(`2 fleets are here; this is about ${shared}`);
      expect(stderr).toContain(`--fleet ${site.stateDir}`);
    }
    await site.call(["journal", "export", "backup.jsonl"]);
    const imported = await site.call(["journal", "import", "backup.jsonl"]);
    expect(imported.exit).toBe(5);
    expect(imported.stderr).toContain(`this is about ${shared}`);
    const where = await site.call(["where", "--json"]);
    expect(where.stderr).toBe("");
    expect(where.json().data.other_state_dirs).toEqual([site.stateDir]);
    expect((await site.call(["where"])).stdout).toContain(`--fleet ${site.stateDir}`);
  });

  test("a state folder that is named is meant, without a note", async () => {
    const site = makeRepository();
    await site.call(["init"]);
    await (await site.open()).close();
    for (const stateDir of [join(site.dir, ".git/stint"), site.stateDir]) {
      const told = await site.call(["workers", "--fleet", stateDir]);
      expect(told).toMatchObject({ exit: 0, stderr: "" });
      expect(await whichIs(site, ["--fleet", stateDir])).toBe(stateDir);
    }
  });

  test("init begins none beside a program's, and after a kill one in its place", async () => {
    const site = makeRepository();
    await (await site.open()).close();
    const again = (await site.call(["init", "--json"])).json().data;
    expect(again).toMatchObject({ created: false, state_dir: site.stateDir });
    expect(existsSync(join(site.dir, ".git/stint"))).toBe(false);
    expect((await site.call(["kill", "--reason", "x", "--yes"])).exit).toBe(0);
    expect((await site.call(["init"])).exit).toBe(3);
    const begun = (await site.call(["init", "--new-fleet", "--json"])).json().data;
    expect(begun).toMatchObject({ created: true, state_dir: site.stateDir });
    expect(await whichIs(site)).toBe(site.stateDir);
  });

  test("a kill and the init after it are about the same of two", async () => {
    const site = makeRepository();
    await site.call(["init"]);
    await (await site.open()).close();
    expect((await site.call(["kill", "--reason", "x", "--yes"])).exit).toBe(0);
    const begun = (await site.call(["init", "--new-fleet", "--json"])).json().data;
    expect(begun).toMatchObject({ created: true, state_dir: join(site.dir, ".git/stint") });
  });
});

describe("[CL31] a state folder that the library makes", () => {
  test("is left out of the repository around it, the secret with it", async () => {
    const site = makeRepository();
    mkdirSync(join(site.dir, "sub"));
    await (await site.open()).close();
    const store = sqlite({ dir: join(site.dir, "sub/state") });
    await (await openFleet({ store, contract: {}, supervisor: "none" })).close();
    expect(existsSync(join(site.stateDir, "secret"))).toBe(true);
    execFileSync("git", ["add", "-A"], { cwd: site.dir });
    const staged = execFileSync("git", ["ls-files"], { cwd: site.dir, encoding: "utf8" });
    expect(staged).toBe("");
  });
});
