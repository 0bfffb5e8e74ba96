import type { Contract } from "../../kernel/fleet/contract.ts";
import { configFileOf, readConfigFile } from "../founding/config-file.ts";
import { lookAtConfig } from "../founding/config-sight.ts";
import { countText } from "../text/size.ts";
import { attempt, good, type Check } from "./check.ts";

const NAME = "stint.toml";

/** Looks at the config of a folder; no check where none lies. `contract`: the one in force. */
export async function checkConfig(
  root: string,
  contract: Contract | undefined,
): Promise<readonly Check[]> {
  const file = configFileOf(root);
  const check = await attempt(NAME, () => {
    const config = readConfigFile(file);
    if (config === undefined) return good(NAME, "");
    const sight = lookAtConfig(file, contract ?? config.contract);
    const detail =
      sight.kind === "proposes"
        ? `${countText(sight.changes.length, "change")} to the contract not in force`
        : "well formed";
    return good(NAME, `${file}, ${detail}`);
  });
  if (check.status === "ok") return check.detail === "" ? [] : [check];
  const costs = "the contract in force goes on, whatever the file proposes";
  return [{ ...check, costs, remedy: "mend the line; `stint contract lint` checks the file" }];
}
