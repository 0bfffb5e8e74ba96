import { execFileSync } from "node:child_process";

/** What a tree holds, counted by other programs than the demo's own code. */
export interface Counts {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
  readonly typescriptLines: number;
  readonly churn: number;
}

/** Lines by awk, which counts an unterminated last line; of binary files `grep -I` says no. */
const COUNT = String.raw`
files=0; lines=0; bytes=0; ts=0
while IFS= read -r -d '' path; do
  [ -f "$path" ] && [ ! -L "$path" ] || continue
  files=$((files + 1))
  bytes=$((bytes + $(wc -c < "$path")))
  if [ -s "$path" ] && ! grep -qI '' "./$path"; then continue; fi
  n=$(awk 'END { print NR }' "./$path")
  lines=$((lines + n))
  case "$path" in *.ts|*.tsx) ts=$((ts + n)) ;; esac
done
echo "$files $lines $bytes $ts"`;

/** What git says of each regular file by itself, added up by awk. */
const CHURN = String.raw`
git ls-files -z | while IFS= read -r -d '' path; do
  [ -f "$path" ] && [ ! -L "$path" ] || continue
  git log --full-history --numstat --format= --no-renames -- ":(literal)$path"
done | awk '{ s += $1 + $2 } END { print s + 0 }'`;

/** The same by one log of all, which is quicker; of names without blanks or quotes only. */
const CHURN_OF_PLAIN = String.raw`
{ git ls-files; echo; git log --numstat --format= --no-renames; } |
  awk -F '\t' '/^$/ { next } NF == 1 { is[$0] = 1; next } is[$3] { s += $1 + $2 }
    END { print s + 0 }'`;

/** Whoever owns a repository, it is one of these tests'. */
const TRUSTING = {
  ...process.env,
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
};

/** Counts a repository by git, awk, grep and wc; `isPlain`: all of its names are plain. */
export function countRepository(root: string, { isPlain = false } = {}): Counts {
  const listed = execFileSync("git", ["-C", root, "ls-files", "-z"], { env: TRUSTING });
  const [files = 0, lines = 0, bytes = 0, typescriptLines = 0] = count(root, listed);
  const script = isPlain ? CHURN_OF_PLAIN : CHURN;
  return { files, lines, bytes, typescriptLines, churn: churnOf(root, script) };
}

const FIND = [".", "-name", ".git", "-prune", "-o", "-type", "f", "-print0"];

/** Counts a tree without git by find, awk, grep and wc. */
export function countTree(root: string): Omit<Counts, "churn"> {
  const listed = execFileSync("find", FIND, { cwd: root });
  const [files = 0, lines = 0, bytes = 0, typescriptLines = 0] = count(root, listed);
  return { files, lines, bytes, typescriptLines };
}

function count(root: string, listed: Uint8Array): readonly number[] {
  const said = execFileSync("bash", ["-c", COUNT], { cwd: root, input: listed, encoding: "utf8" });
  return said.trim().split(" ").map(Number);
}

/** Added and deleted lines of all commits, of the regular files that are still there. */
function churnOf(root: string, script: string): number {
  const options = { cwd: root, env: TRUSTING, encoding: "utf8" } as const;
  const said = execFileSync("bash", ["-c", script], options);
  return Number(said);
}
