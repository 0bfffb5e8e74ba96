import { expect, test } from "vitest";
import { memoryJournal } from "../../src/journal/memory.ts";
import { JOURNAL_CONTRACT } from "../../src/testing/journal-contract.ts";

for (const { name, run } of JOURNAL_CONTRACT) {
  test(`${name} (memory)`, async () => {
    await expect(run(async (options) => memoryJournal(options))).resolves.toBeUndefined();
  });
}
