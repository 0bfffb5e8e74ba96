// The papers as a user has them in the package: links lead to files that are there too.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

/** What npm publishes whatever `files` says. */
const ALWAYS = ["README.md", "LICENSE", "package.json"];

const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly files: readonly string[];
};

/** The papers in the package. */
const PAPERS = [...ALWAYS, ...files]
  .flatMap((name) =>
    name === "docs" ? readdirSync(join(ROOT, name)).map((page) => `docs/${page}`) : [name],
  )
  .filter((name) => name.endsWith(".md"));

/** The files of this repository that a paper links to, by their paths in it. */
function targetsOf(paper: string): readonly string[] {
  const prose = readFileSync(join(ROOT, paper), "utf8").replaceAll(/^```[^]*?^```$/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
    .map((target) => posix.normalize(posix.join(posix.dirname(paper), target)));
}

test("[PP7] the papers of the package link to nothing that is not in it", () => {
  const isShipped = (path: string): boolean =>
    [...ALWAYS, ...files].some((name) => path === name || path.startsWith(`${name}/`));
  const found = PAPERS.flatMap((paper) => targetsOf(paper).map((to) => ({ paper, to })));
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter(({ to }) => !isShipped(to))).toEqual([]);
});

test("[PP7] every example in the package is linked to by a paper of it", () => {
  const examples = readdirSync(join(ROOT, "examples")).map((name) => `examples/${name}`);
  expect(files).toContain("examples");
  const targets = PAPERS.flatMap(targetsOf);
  expect(examples.filter((name) => !targets.includes(name))).toEqual([]);
});
