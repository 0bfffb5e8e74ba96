// The roster of a stint.toml, through the built program.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeGround, type Ground } from "./ground.ts";

const ROSTER = `
[roster]
expected = ["api", "collector"]

[roster.services.api]
every = "5s"
unit = "api.service"
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

describe("[RO9] the roster of a stint.toml", () => {
  test("is put in force by init, and shown", async () => {
    const ground = await makeGround({ config: ROSTER });
    expect(await kindsIn(ground)).toEqual(["fleet.created", "roster.enacted"]);
    const { data } = (await ground.done(["contract", "show", "--json"])).json();
    expect(data.roster).toEqual({
      expected: [
        { name: "api", every_ms: 5_000, instances: 1, unit: "api.service" },
        { name: "collector", every_ms: 10_000, instances: 1 },
      ],
    });
    writeConfig(ground, (await ground.done(["contract", "show"])).stdout);
    expect((await ground.done(["contract", "lint", "--json"])).json().data).toMatchObject({
      in_force: true,
      notes: [],
      roster: data.roster,
    });
  });

  test("that was changed is shown, waits, and is put in force by enact", async () => {
    const ground = await makeGround({ config: ROSTER });
    writeConfig(ground, `${ROSTER}instances = 2\n\n[lanes.api]\npaths = ["src/api/**"]\n`);
    const shown = await ground.done(["contract", "show"]);
    expect(shown.stderr).toContain("proposes 2 changes to the ground and the roster, not in force");
    const asked = await ground.call(["contract", "enact"]);
    expect(asked.exit).toBe(2);
    expect(asked.stderr).toContain("roster.services.api.instances: 1 → 2");
    expect(await kindsIn(ground)).toEqual(["fleet.created", "roster.enacted"]);
    const done = await ground.done(["contract", "enact", "--yes"]);
    expect(done.stdout).toContain("In force: 2 changes to the ground and the roster.");
    const kinds = ["fleet.created", "roster.enacted", "lanes.enacted", "roster.enacted"];
    expect(await kindsIn(ground)).toEqual(kinds);
    writeConfig(ground, "");
    const emptied = await ground.done(["contract", "enact", "--yes"]);
    expect(emptied.stderr).toContain("roster.services.collector: ");
    expect(emptied.stderr).toContain("(removed)");
    const { data } = (await ground.done(["contract", "show", "--json"])).json();
    expect(data.roster).toEqual({ expected: [] });
  });
});
