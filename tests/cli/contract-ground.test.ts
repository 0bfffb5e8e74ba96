// Lanes and rules about ground in a stint.toml, through the built program.
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeGround, type Ground } from "./ground.ts";

const LANES = `
[lanes.api]
paths = ["src/api/**"]
slots = 1

[lanes.web]
paths = ["web/**"]
`;

/** The kinds of what is in the journal, but for what comes by itself. */
async function kindsIn(ground: Ground): Promise<readonly string[]> {
  const { stdout } = await ground.call(["journal", "export", "-"]);
  const lines = stdout.trimEnd().split("\n").slice(0, -1);
  return lines
    .map((line) => (JSON.parse(line) as { entry: { kind: string } }).entry.kind)
    .filter((kind) => kind !== "journal.signed");
}

function writeConfig(ground: Ground, text: string): void {
  writeFileSync(join(ground.dir, "stint.toml"), text);
}

describe("[LN7] init", () => {
  test("puts contract, lanes and folding of the stint.toml that is there in force", async () => {
    const config = `[fleet]\nfold_case = true\n\n[contract]\nmax_depth = 1\n${LANES}`;
    const ground = await makeGround({ config });
    expect(await kindsIn(ground)).toEqual(["fleet.created", "lanes.enacted"]);
    const { data } = (await ground.done(["contract", "show", "--json"])).json();
    expect(data).toMatchObject({
      contract: { max_depth: 1 },
      ground: {
        lanes: [{ name: "api", region: ["src/api/**"], slots: 1 }, { name: "web" }],
        worktrees: "one_ground",
        require: false,
      },
      fold_case: true,
    });
    const said = await ground.done([]);
    expect(said.stderr).toBe("");
  });

  test("enacts no lanes where there are none, and folds as the disk does", async () => {
    const ground = await makeGround();
    expect(await kindsIn(ground)).toEqual(["fleet.created"]);
    const { data } = (await ground.done(["contract", "show", "--json"])).json();
    expect(data).toMatchObject({ ground: { lanes: [] }, fold_case: false });
  });
});

describe("[LN8] the verbs of the contract", () => {
  test("show what would change of lanes, and put it in force", async () => {
    const ground = await makeGround({ config: LANES });
    writeConfig(
      ground,
      '[lanes.api]\npaths = ["src/api/"]\nslots = 2\n\n[lanes.docs]\npaths = ["docs/**"]\n',
    );
    const shown = await ground.done(["contract", "show"]);
    expect(shown.stderr).toContain("proposes 3 changes to the ground, not in force yet");
    const asked = await ground.call(["contract", "enact"]);
    expect(asked.exit).toBe(2);
    expect(asked.stderr).toContain("lanes.api.slots: 1 → 2");
    expect(asked.stderr).toContain('lanes.web: { paths = ["web/**"] } (removed)');
    expect(asked.stderr).toContain('lanes.docs: { paths = ["docs/**"] } (new)');
    expect(await kindsIn(ground)).toEqual(["fleet.created", "lanes.enacted"]);
    const done = (await ground.done(["contract", "enact", "--yes", "--json"])).json();
    expect(done.data.changes.map(({ field }: { field: string }) => field)).toEqual([
      "lanes.api.slots",
      "lanes.web",
      "lanes.docs",
    ]);
    expect(await kindsIn(ground)).toEqual(["fleet.created", "lanes.enacted", "lanes.enacted"]);
    expect((await ground.done(["contract", "enact", "--json"])).json().data.changes).toEqual([]);
  });

  test("put both in force where both change, and leave leases as they are", async () => {
    const ground = await makeGround({ config: LANES });
    await ground.done(["lease", "acquire", "--lane", "web", "--holder", "ann", "--ttl", "1h"]);
    writeConfig(ground, "[contract]\nmax_depth = 2\n\n[leases]\nrequire = true\n");
    const done = await ground.done(["contract", "enact", "--yes"]);
    expect(done.stdout).toContain("In force: 4 changes to the contract and the ground.");
    expect(await kindsIn(ground)).toEqual([
      "fleet.created",
      "lanes.enacted",
      "lease.granted",
      "contract.enacted",
      "lanes.enacted",
    ]);
    expect((await ground.done(["lease", "ls", "--json"])).json().data.leases).toHaveLength(1);
  });

  test("print a config that changes nothing", async () => {
    const config = `${LANES}\n[leases]\nrequire = true\n\n[repository]\nworktrees = "own_ground"\n`;
    const ground = await makeGround({ config });
    writeConfig(ground, (await ground.done(["contract", "show"])).stdout);
    expect((await ground.done(["contract", "lint", "--json"])).json().data.in_force).toBe(true);
  });

  test("lint lanes by line, and say whether they are in force", async () => {
    const ground = await makeGround({ config: LANES });
    const lint = async () => (await ground.done(["contract", "lint", "--json"])).json().data;
    expect(await lint()).toMatchObject({ in_force: true, notes: [], ground: { require: false } });
    appendFileSync(join(ground.dir, "stint.toml"), '\n[lanes.x]\npaths = ["x"]\n');
    expect(await lint()).toMatchObject({ in_force: false });
    expect((await ground.done(["contract", "lint"])).stdout).toContain(
      "It is not in force: 1 change to the ground",
    );
    appendFileSync(join(ground.dir, "stint.toml"), 'aliases = ["web"]\n');
    const wrong = await ground.call(["contract", "lint"]);
    expect(wrong.exit).toBe(2);
    expect(wrong.stderr).toContain(
      'stint.toml:11: lanes.x.aliases[0] must be a name of its own (lane web has it), got "web"',
    );
  });

  test("say that folding cannot be changed any more", async () => {
    const ground = await makeGround({ config: "[fleet]\nfold_case = false\n" });
    writeConfig(ground, "[fleet]\nfold_case = true\n");
    const note =
      "fleet.fold_case = true has no effect: this fleet was begun with fold_case = false, for good";
    expect((await ground.done(["contract", "lint"])).stdout).toContain(`note: ${note}`);
    expect((await ground.done(["contract", "enact"])).stderr).toContain(`note: ${note}`);
  });
});

test("[CD5] a condition on leases decides where no supervisor runs", async () => {
  const when = `holder.kind == "outside" && lane == ""`;
  const condition = `[[contract.lease_deny_when]]\nname = "lanes-only"\nwhen = '${when}'\n`;
  const ground = await makeGround({ config: `${condition}${LANES}` });
  const acquire = ["lease", "acquire", "--holder", "ann", "--json"];
  const refused = await ground.call([...acquire, "--region", "docs/**"]);
  expect(refused.json()).toMatchObject({ refusal: { code: "lease_condition" } });
  await ground.done([...acquire, "--lane", "web"]);
  expect(await kindsIn(ground)).toEqual([
    "fleet.created",
    "lanes.enacted",
    "command.refused",
    "lease.granted",
  ]);
});
