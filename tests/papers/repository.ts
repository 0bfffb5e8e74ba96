// The reader's repository: what a page can count on in the folder it is tried in.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The committed files, by their paths. `npm test` passes in it. */
const FILES: Readonly<Record<string, string>> = {
  ".gitignore": "node_modules\n",
  "package.json": `{
  "name": "site",
  "private": true,
  "type": "module",
  "scripts": { "test": "node --test" }
}
`,
  "README.md": "# Site\n\nCounts words.\n",
  "src/count.js": `/** Counts the words of a text. */
export function count(text) {
  return text.split(/\\s+/).filter((word) => word !== "").length;
}
`,
  "src/main.js": `import { readFileSync } from "node:fs";
import { count } from "./count.js";

for (const file of process.argv.slice(2)) {
  console.log(\`\${count(readFileSync(file, "utf8"))} \${file}\`);
}
`,
  "test/count.test.js": `import { strictEqual } from "node:assert";
import { test } from "node:test";
import { count } from "../src/count.js";

test("words are counted", () => strictEqual(count("one two  three"), 3));
`,
};

/** Makes the repository in a folder, with one commit; git's own config is that of `env`. */
export function makeRepository(dir: string, env: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(FILES)) {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const git = (...args: readonly string[]): unknown => execFileSync("git", args, { cwd: dir, env });
  git("init", "--quiet", "--initial-branch=main");
  git("config", "--global", "user.name", "A reader");
  git("config", "--global", "user.email", "reader@example.org");
  git("add", "--all");
  git("commit", "--quiet", "--message", "begin");
}
