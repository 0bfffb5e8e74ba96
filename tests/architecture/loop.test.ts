import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Command, Submission } from "../../src/kernel/command.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { carry } from "./loop.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const OPERATOR = { kind: "operator", via: "library" } as const;
const MARK = "<!-- loop -->";
const FENCE = /^```ts\n(.*?)^```$/ms;

function asked(id: string, command: Command): Submission {
  return { id, actor: OPERATOR, command };
}

test("the loop that ARCHITECTURE prints is the one that runs here", () => {
  const paper = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const printed = FENCE.exec(paper.slice(paper.indexOf(MARK)))?.[1];
  const program = readFileSync(join(import.meta.dirname, "loop.ts"), "utf8");
  const body = program.slice(program.indexOf("let [state, head]"));
  expect(printed).toBe(body);
  expect(body.split("\n").length).toBeLessThanOrEqual(25);
});

test("the loop in twenty lines carries commands and what somebody else wrote", async () => {
  const journal = memoryJournal({ clock: new FakeClock() });
  const created = await carry(
    journal,
    asked("c-1", {
      kind: "fleet.create",
      data: {
        fleet: "f-1",
        name: "paper",
        contract: { ...DEFAULT_CONTRACT, max_replicas: 1 },
        key: { key_id: "k", public_key: "p" },
      },
    }),
  );
  expect(created.refusal).toBeNull();
  const [first] = await journal.read({ seq: 0, hash: "0".repeat(64) }, 1);
  // Somebody else writes between two looks of this loop.
  await journal.append(first ?? { seq: 0, hash: "" }, () => [
    {
      fleet: "f-1",
      rules: 1,
      id: "c-other",
      actor: OPERATOR,
      command: null,
      event: {
        kind: "fleet.paused",
        data: { reason: "somebody else" },
      },
    },
  ]);
  const admit = (id: string): Submission =>
    asked(id, {
      kind: "worker.admit",
      data: {
        instance: `w-${id}`,
        name: "one",
        parent: null,
        reason: "paper",
        state: {},
        budget: {},
      },
    });
  expect((await carry(journal, admit("c-2"))).refusal?.code).toBe("fleet_paused");
  await carry(journal, asked("c-3", { kind: "fleet.resume", data: { reason: "go on" } }));
  expect((await carry(journal, admit("c-4"))).refusal).toBeNull();
  expect((await carry(journal, admit("c-5"))).refusal?.code).toBe("max_replicas");
});
