import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CONFIG_NAME } from "../../config/config.ts";

/**
 * The configs that lie in other working trees of the repository whose fleet this is: one fleet is
 * shared by all of them, a `stint.toml` by none. Empty for the fleet of a plain folder.
 */
export function configsElsewhere(stateDir: string, root: string): readonly string[] {
  const common = dirname(stateDir);
  if (!existsSync(join(common, "HEAD"))) return [];
  // Forms: gitrepository-layout(5), `worktrees/<id>/gitdir`.
  const links = join(common, "worktrees");
  const linked = listNames(links).flatMap((name) => readLine(join(links, name, "gitdir")) ?? []);
  const main = basename(common) === ".git" ? [common] : [];
  return [...main, ...linked]
    .map((git) => dirname(git))
    .filter((tree) => existsSync(join(tree, CONFIG_NAME)) && realpathSync(tree) !== root)
    .map((tree) => join(tree, CONFIG_NAME));
}

function listNames(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // The repository has no other working trees.
    return [];
  }
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0]?.trimEnd();
  } catch {
    // It was removed just now, or is not ours to read.
    return undefined;
  }
}
