import { ANY_NAMESPACE, DEFAULT_NAMESPACE, NAMESPACE } from "../region/pattern.ts";

/** The worktree that a repository begins with, or a folder that is no repository. */
export const MAIN_WORKTREE = "main";

/** The folder under which the ground of each worktree lies, where each has its own. */
const FOLDER = "worktree";

/** Characters that mean something else in a pattern where they are not escaped. */
const SPECIAL = /[*?[\]{},\\]/g;

/**
 * Patterns as they are meant on the ground of one worktree: of files, those below a folder of its
 * own. Patterns of other namespaces stay as they are, for ports and the like are shared. One of
 * every namespace is meant on every worktree: what reaches over namespaces reaches over these.
 *
 * Region by region it keeps what lies in what, and what shares something with what, of one
 * worktree. The answer is not canonical; the patterns must be ones that parse.
 */
export function onWorktree(patterns: readonly string[], id: string): readonly string[] {
  return patterns.flatMap((pattern) => {
    const lead = pattern.startsWith("!") ? "!" : "";
    const text = pattern.slice(lead.length);
    const named = NAMESPACE.exec(text);
    const path = text.slice(named?.[0].length ?? 0);
    const namespace = named?.[1] ?? DEFAULT_NAMESPACE;
    if (namespace === ANY_NAMESPACE) return [pattern, `${lead}${FOLDER}/*/${path}`];
    if (namespace !== DEFAULT_NAMESPACE) return [pattern];
    return [`${lead}${FOLDER}/${escapeName(id)}/${path}`];
  });
}

/** Whether patterns mean something else on each worktree: those of ports and the like do not. */
export function isPlaced(patterns: readonly string[]): boolean {
  return onWorktree(patterns, MAIN_WORKTREE).join("\n") !== patterns.join("\n");
}

/** A name or path as a pattern that matches it alone. */
export function escapeName(name: string): string {
  return name.replaceAll(SPECIAL, String.raw`\$&`);
}

/** A file's path, as resources are written, on the ground of one worktree. */
export function pathOnWorktree(path: string, id: string): string {
  return `${FOLDER}/${id}/${path.slice(path.startsWith(FILE) ? FILE.length : 0)}`;
}

/** A path of a worktree's own ground, or one of its patterns; the worktree is its group. */
const PLACED = /^(!?)worktree\/((?:\\.|[^/\\])+)\/(.+)$/s;

/**
 * A path or pattern that is on the ground of a worktree as it was before it was put there, and the
 * worktree; undefined for what is on none's. For messages: what people wrote is what they read.
 */
export function offWorktree(
  text: string,
): { readonly text: string; readonly worktree: string } | undefined {
  const [, lead = "", id = "", path] = PLACED.exec(text) ?? [];
  if (path === undefined) return undefined;
  return { text: lead + path, worktree: id.replaceAll(/\\(.)/gs, "$1") };
}

/** Patterns as they were before they were put on the ground of a worktree. */
export function withoutWorktree(patterns: readonly string[]): readonly string[] {
  return patterns.map((pattern) => offWorktree(pattern)?.text ?? pattern);
}

const FILE = `${DEFAULT_NAMESPACE}:`;
