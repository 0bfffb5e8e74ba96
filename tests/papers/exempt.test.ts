import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Block } from "./block.ts";
import { readBlocks } from "./page.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Pages whose blocks are not run, and why. */
const UNTRIED: Readonly<Record<string, string>> = {
  "docs/cli.md": "made of the verbs' help; its examples are parsed as calls, by another test",
  "docs/sandboxes.md": "made of the hostile cases, which have tests of their own; it has no blocks",
};

/** The pages whose blocks are tried, each by the file of its name in pages/. */
const PAGES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
    .filter((page) => !(page in UNTRIED)),
];

/** Page, block and why no test runs it. What runs nowhere else is for what cannot run in a test. */
const EXEMPT: readonly string[] = [
  "README.md: npm ci && npm start: the main job has tests of its own",
  "README.md: npm ci && npm test: it is what runs this",
  "docs/coming-from.md: py: the other system's programs",
  "docs/operations.md: # /etc/systemd/system/stint-site.service: a picture",
];

test("[PP4] no block but these is left out, each with its reason", () => {
  const found = PAGES.flatMap((page) =>
    readBlocks(page)
      .map(exemptionOf)
      .filter((reason) => reason !== undefined)
      .map((reason) => `${page}: ${reason}`),
  );
  // Programs of another system are one row.
  expect([...new Set(found)].toSorted()).toEqual(EXEMPT.toSorted());
});

/** Which block nothing is done with, and why; undefined when something is. */
function exemptionOf({ language, text, notRun, isPicture }: Block): string | undefined {
  if (notRun !== undefined) return `${text.trim()}: ${notRun}`;
  if (isPicture) return `${text.trim().split("\n", 1)[0]}: a picture`;
  return language === "py" ? "py: the other system's programs" : undefined;
}

test("[PP4] every page of docs has a file that tries it, but those that are left out whole", () => {
  const lacking = [...Object.keys(UNTRIED), ...PAGES].filter((page) => {
    const name = page.replace(/^docs\//, "").replace(/\.md$/, "");
    return !existsSync(join(import.meta.dirname, "pages", `${name.toLowerCase()}.test.ts`));
  });
  expect(lacking).toEqual(["docs/cli.md", "docs/sandboxes.md"]);
});
