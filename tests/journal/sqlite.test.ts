import { expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import type { OpenJournal } from "../../src/testing/journal/case.ts";
import { JOURNAL_CONTRACT } from "../../src/testing/journal-contract.ts";
import { freshFolder } from "./fixtures/folder.ts";

for (const { name, run } of JOURNAL_CONTRACT) {
  test(`${name} (sqlite)`, async () => {
    const open: OpenJournal = (options) => openSqliteJournal({ folder: freshFolder(), ...options });
    await expect(run(open)).resolves.toBeUndefined();
  });
}
