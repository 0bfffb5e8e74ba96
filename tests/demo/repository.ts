import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A tree made for a test; `remove` deletes it. */
export interface Tree {
  readonly root: string;
  remove(): void;
}

/** A folder with files of several kinds: what a count can get wrong is all there. */
export function makeTree(): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "stint-tree-")));
  const files: Record<string, string | Uint8Array> = {
    "README.md": "# A tree\n\nwith lines\n",
    "src/one.ts": "export const one = 1;\n".repeat(40),
    "src/two.ts": "no newline at the end",
    "src/deep/three.py": "print(3)\n\n\n",
    "src/empty.ts": "",
    "tools/run.sh": "#!/bin/sh\necho run\n",
    "data/image.bin": Uint8Array.from([0, 1, 2, 10, 0, 10]),
    "data/table.json": '{\n  "a": 1\n}\n',
    "with space/ünïcode file.md": "one\ntwo\n",
    "with space/tab\tname.txt": "x\n",
    "vendor/other.js": "theirs();\n".repeat(7),
  };
  for (let index = 0; index < 20; index += 1)
    files[`many/file-${index}.go`] = `package many\n`.repeat(index);
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** The same as a repository with a few commits, a symlink, and a file git does not track. */
export function makeRepository(): Tree {
  const tree = makeTree();
  const git = (...args: string[]): void => void gitIn(tree.root, ...args);
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
  write(tree.root, "src/one.ts", "export const one = 2;\n".repeat(30));
  git("rm", "--quiet", "src/deep/three.py");
  git("commit", "--quiet", "--all", "--message=second");
  symlinkSync("README.md", join(tree.root, "link.md"));
  git("add", "link.md");
  git("commit", "--quiet", "--message=third");
  write(tree.root, "untracked.ts", "not counted\n");
  return tree;
}

/** Commits a file whose name is not UTF-8, as older trees have them. */
export function addLatinName(root: string): void {
  const name = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9]), Buffer.from(".ts")]);
  writeFileSync(name, "export const au = 1;\nexport const lait = 2;\n");
  gitIn(root, "add", "--all");
  gitIn(root, "commit", "--quiet", "--message=latin");
}

/** Runs git in a folder as nobody in particular. */
export function gitIn(root: string, ...args: string[]): string {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"];
  return execFileSync("git", ["-C", root, ...who, ...args], { encoding: "utf8" });
}

function write(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}
