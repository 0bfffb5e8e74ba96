import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CONFIG_NAME } from "../../config/config.ts";
import { worktreesOf } from "../../system/ground/repository.ts";

/**
 * The configs that lie in other working trees of the repository whose fleet this is: one fleet is
 * shared by all of them, a `stint.toml` by none. Empty for the fleet of a plain folder.
 */
export function configsElsewhere(stateDir: string, root: string): readonly string[] {
  const common = dirname(stateDir);
  if (!existsSync(join(common, "HEAD"))) return [];
  return worktreesOf(common)
    .filter(({ top }) => existsSync(join(top, CONFIG_NAME)) && top !== root)
    .map(({ top }) => join(top, CONFIG_NAME));
}
