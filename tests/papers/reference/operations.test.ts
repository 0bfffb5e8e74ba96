// docs/operations.md against the table of problems, and against the files of a fleet at work.
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import { beginStory, type Story } from "../story.ts";
import { codesIn, listIn, section, tableIn } from "../table.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");

test("[PP42] every code that is given has an item with its exit, in the table's order", () => {
  const items = listIn(section(PAGE, "What to do when")).map(
    ({ cells: [code = "", what = ""] }) => {
      const [, name, exit] = /^`([a-z_]+)` \((\d+)\)$/.exec(code) ?? [];
      return [name, Number(exit), /\S _Do:_ \S/.test(what)];
    },
  );
  const given = Object.entries(PROBLEMS).filter(([, { reserved }]) => !reserved);
  expect(items).toEqual(given.map(([code, { exit }]) => [code, exit, true]));
});

/** A fleet that has had most of what happens to fleets, with live workers and an archive. */
const LIFE = `
  stint init
  stint run -- echo hello
  stint kill --reason "to have an archive" --yes || test $? = 6
  stint init --new-fleet
  sed -i 's/^# allow_degraded.*/allow_degraded = ["same_user", "network"]/' stint.toml
  stint contract enact --yes
  stint spawn --name still -- sleep 600
  stint spawn --name quick -- true
  stint worker quarantine still --reason "a look"`;

/** Where nothing of the path depends on this run. */
function named(path: string): string {
  return path
    .replaceAll(/\bw-[a-z2-7]{16}/g, "WORKER")
    .replaceAll(/\bpermit-f-\w+/g, "permit-FLEET")
    .replaceAll(/\bf-[a-z2-7]{16}/g, "FLEET");
}

async function filesOf(story: Story): Promise<readonly string[]> {
  const { exit, output } = await story.run("bash", ["-euo", "pipefail", "-c", LIFE]);
  expect({ exit, output }).toMatchObject({ exit: 0 });
  const dir = join(story.dir, ".git/stint");
  return globSync("**", { cwd: dir })
    .map((path) => named(relative(dir, join(dir, path))))
    .filter((path) => path !== "");
}

test("[PP42] every file that a fleet makes in its state folder is on the page", async () => {
  const story = await beginStory();
  onTestFinished(() => story.end());
  const found = await filesOf(story);
  const folder = section(PAGE, "The state folder");
  const inFolder = listIn(folder).flatMap(({ cells }) => codesIn(cells.join(" ")));
  const inSandbox = tableIn(folder).map(({ first }) => first);
  const expected = found.filter((path) => {
    const parts = path.split("/");
    // Of an archive and of a folder for each worker what is in it is named by itself.
    const [name = "", , file] = parts;
    if (name === "archive") return parts.length === 3 && !inFolder.includes(file ?? "");
    if (name === "sandboxes" && file !== undefined) return !inSandbox.includes(file);
    if (name === "sandboxes") return false;
    return !inFolder.includes(parts.length === 2 ? (parts[1] ?? "") : name);
  });
  expect(expected).toEqual([]);
  // The look itself must have seen a fleet at work.
  const seen = ["journal.db-wal", "sandboxes/WORKER/record.json", "archive/FLEET/head", "head"];
  expect(found).toEqual(expect.arrayContaining([...seen, "supervisor.json", "permit-FLEET"]));
  expect(found).toContain("output/WORKER.jsonl");
});
