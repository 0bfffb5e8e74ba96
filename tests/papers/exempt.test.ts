import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exemptBlocks } from "./page.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The pages whose blocks are tried, each by the file of its name in pages/. */
const PAGES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md") && name !== "cli.md")
    .map((name) => `docs/${name}`),
];

/** Page, block and why no test runs it. What runs nowhere else is for what cannot run in a test. */
const EXEMPT: readonly string[] = [
  "README.md: npm ci && npm start: the main job has tests of its own",
  "README.md: npm ci && npm test: it is what runs this",
];

test("[PP4] no block but these is left out, each with its reason", () => {
  const found = PAGES.flatMap((page) =>
    exemptBlocks(page).map(({ text, notRun }) => `${page}: ${text.trim()}: ${notRun}`),
  );
  expect(found.toSorted()).toEqual(EXEMPT.toSorted());
});

test("[PP4] every page of docs has a file that tries it", () => {
  const lacking = PAGES.map((page) => page.replace(/^docs\//, "").replace(/\.md$/, ""))
    .map((name) => join(import.meta.dirname, "pages", `${name.toLowerCase()}.test.ts`))
    .filter((file) => !existsSync(file));
  expect(lacking).toEqual([]);
});
