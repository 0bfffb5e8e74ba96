import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/**
 * Makes a folder with files of several kinds: what a count can get wrong is all there. Anybody may
 * read it; it is gone when the running test is over.
 */
export function makeTree(): string {
  const root = makeFolder();
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
    "with space/line\nbreak.ts": "export {};\n",
    "-dash.ts": "export {};\n",
    "vendor/other.js": "theirs();\n".repeat(7),
  };
  for (let index = 0; index < 20; index += 1)
    files[`many/file-${index}.go`] = `package many\n`.repeat(index);
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  return root;
}

/** The same as a repository: commits, a symlink, an untracked file, a name that is not UTF-8. */
export function makeRepository(): string {
  const root = makeTree();
  begin(root);
  write(root, "src/one.ts", "export const one = 2;\n".repeat(30));
  gitIn(root, "rm", "--quiet", "src/deep/three.py");
  gitIn(root, "commit", "--quiet", "--all", "--message=second");
  symlinkSync("README.md", join(root, "link.md"));
  const latin = Buffer.concat([
    Buffer.from(`${root}/caf`),
    Buffer.from([0xe9]),
    Buffer.from(".ts"),
  ]);
  writeFileSync(latin, "export const au = 1;\nexport const lait = 2;\n");
  gitIn(root, "add", "--all");
  gitIn(root, "commit", "--quiet", "--message=third");
  write(root, "untracked.ts", "not counted\n");
  // Tracked, and not there any more.
  rmSync(join(root, "tools/run.sh"));
  return root;
}

/** A repository with code of others, renames, a branch that was merged, and a conflict resolved. */
export function makeMergedRepository(): string {
  const root = makeFolder();
  for (let index = 0; index < 12; index += 1)
    write(root, `src/part-${index}.ts`, "export const part = 0;\n".repeat(index + 5));
  write(root, "third_party/lib/big.c", "int x;\n".repeat(500));
  write(root, "web/vendor/theirs.js", "theirs();\n".repeat(60));
  begin(root);
  gitIn(root, "checkout", "--quiet", "-b", "side");
  gitIn(root, "mv", "src/part-3.ts", "src/renamed.ts");
  write(root, "src/part-1.ts", "export const side = 1;\n".repeat(9));
  gitIn(root, "commit", "--quiet", "--all", "--message=side");
  gitIn(root, "checkout", "--quiet", "main");
  write(root, "src/part-1.ts", "export const main = 1;\n".repeat(7));
  gitIn(root, "mv", "src/part-5.ts", "src/moved.ts");
  gitIn(root, "commit", "--quiet", "--all", "--message=main");
  try {
    gitIn(root, "merge", "--quiet", "side");
  } catch {
    // They conflict, and that is what is wanted of them.
  }
  write(root, "src/part-1.ts", "export const both = 1;\n".repeat(8));
  gitIn(root, "add", "--all");
  gitIn(root, "commit", "--quiet", "--message=merged");
  return root;
}

/** This very repository as it was committed last; undefined where it is none. */
export function cloneOwn(): string | undefined {
  const own = join(import.meta.dirname, "../..");
  const root = makeFolder();
  try {
    gitIn(own, "rev-parse", "--verify", "--quiet", "HEAD");
  } catch {
    // An unpacked copy of the source, say.
    return undefined;
  }
  gitIn(own, "clone", "--quiet", "--no-hardlinks", own, root);
  return root;
}

/** Runs git in a folder as nobody in particular. */
export function gitIn(root: string, ...args: readonly string[]): string {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"];
  const trusting = ["-c", "safe.directory=*", "-c", "init.defaultBranch=main"];
  const all = ["-C", root, ...who, ...trusting, ...args];
  return execFileSync("git", all, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Gives a tree to `nobody`, so that git trusts him with it; needs root. */
export function giveToNobody(root: string): string {
  execFileSync("chown", ["-R", "nobody", root]);
  return root;
}

/** Writes a file below a folder. */
export function write(root: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** Makes an empty folder that anybody may read; it is gone when the running test is over. */
export function makeFolder(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "stint-tree-")));
  chmodSync(root, 0o755);
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function begin(root: string): void {
  gitIn(root, "init", "--quiet");
  gitIn(root, "add", "--all");
  gitIn(root, "commit", "--quiet", "--message=first");
}
