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
  if [ -s "$path" ] && ! grep -qI '' "$path"; then continue; fi
  n=$(awk 'END { print NR }' "$path")
  lines=$((lines + n))
  case "$path" in *.ts|*.tsx) ts=$((ts + n)) ;; esac
done
echo "$files $lines $bytes $ts"`;

/** What git says of each regular file by itself, added up by awk. */
const CHURN = String.raw`
git ls-files -z | while IFS= read -r -d '' path; do
  [ -f "$path" ] && [ ! -L "$path" ] || continue
  git log --numstat --format= --no-renames -- ":(literal)$path"
done | awk '{ s += $1 + $2 } END { print s + 0 }'`;

/** Counts a repository by git, awk, grep and wc. */
export function countRepository(root: string): Counts {
  const listed = execFileSync("git", ["-C", root, "ls-files", "-z"]);
  const [files = 0, lines = 0, bytes = 0, typescriptLines = 0] = count(root, listed);
  return { files, lines, bytes, typescriptLines, churn: churnOf(root) };
}

/** Counts a tree without git by find, awk, grep and wc. */
export function countTree(root: string): Omit<Counts, "churn"> {
  const listed = execFileSync("find", [".", "-type", "f", "-print0"], { cwd: root });
  const [files = 0, lines = 0, bytes = 0, typescriptLines = 0] = count(root, listed);
  return { files, lines, bytes, typescriptLines };
}

function count(root: string, listed: Uint8Array): readonly number[] {
  const said = execFileSync("bash", ["-c", COUNT], { cwd: root, input: listed, encoding: "utf8" });
  return said.trim().split(" ").map(Number);
}

/** Added and deleted lines of all commits, of the regular files that are still there. */
function churnOf(root: string): number {
  const said = execFileSync("bash", ["-c", CHURN], { cwd: root, encoding: "utf8" });
  return Number(said);
}
