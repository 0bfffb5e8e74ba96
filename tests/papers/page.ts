// The tests of a page: one for each block that is tried, in the page's order.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { needs, needsProgram } from "../support/require-all.ts";
import { parseBlocks, type Block, type Need } from "./block.ts";
import { beginStory, type Story } from "./story.ts";
import { tryBlock } from "./trial.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Tries the blocks of a page from the root of the repository, each as a test. */
export function tryPage(page: string): void {
  // Many programs in a row, on a machine that may be busy.
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
  describe(`the page ${page}`, () => {
    const blocks = readBlocks(page);
    const tried = blocks.filter(({ notRun }) => notRun === undefined);
    let story: Story | undefined;
    let printed: string | undefined;
    afterAll(async () => story?.end());

    const expectToHold = async (block: Block): Promise<void> => {
      for (const need of needsOf(block, blocks)) demand(need);
      if (block.isFresh) await story?.end();
      if (block.isFresh) story = undefined;
      story ??= await beginStory();
      const before = printed;
      // What a block that failed has printed is nobody's output.
      printed = undefined;
      printed = await tryBlock(block, { story, printed: before });
    };

    test("it has blocks to try", () => expect(tried).not.toEqual([]));
    for (const block of tried)
      test(`${block.language} at ${page}:${block.line} does what the page says`, async () => {
        await expectToHold(block);
      });
  });
}

/** What must be there for a block: for an output, what the block before it needs. */
function needsOf(block: Block, blocks: readonly Block[]): readonly Need[] {
  if (block.output !== "before") return block.needs;
  const before = blocks[blocks.indexOf(block) - 1];
  return [...block.needs, ...(before?.needs ?? [])];
}

function demand(need: Need): void {
  if (need === "root") needs(process.getuid?.() === 0, "only root can do this");
  else needsProgram(need);
}

/** The blocks of a page from the root of the repository. Throws a PageError where it is wrong. */
export function readBlocks(page: string): readonly Block[] {
  return parseBlocks(page, readFileSync(join(ROOT, page), "utf8"));
}
