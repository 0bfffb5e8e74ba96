import { changesText, type InForce } from "../founding/changes.ts";
import { configFileOf, readConfigFile } from "../founding/config-file.ts";
import { lookAtConfig } from "../founding/config-sight.ts";
import { attempt, good, type Check } from "./check.ts";

const NAME = "stint.toml";

/** Looks at the config of a folder; no check where none lies. `inForce`: what a fleet has. */
export async function checkConfig(
  root: string,
  inForce: InForce | undefined,
): Promise<readonly Check[]> {
  const file = configFileOf(root);
  const check = await attempt(NAME, () => {
    const config = readConfigFile(file);
    if (config === undefined) return good(NAME, "");
    const sight = inForce === undefined ? undefined : lookAtConfig(file, inForce);
    const detail =
      sight?.kind === "proposes" ? `${changesText(sight.changes)} not in force` : "well formed";
    return good(NAME, `${file}, ${detail}`);
  });
  if (check.status === "ok") return check.detail === "" ? [] : [check];
  const costs = "the contract in force goes on, whatever the file proposes";
  return [{ ...check, costs, remedy: "mend the line; `stint contract lint` checks the file" }];
}
