import { CONFIG_NAME, type Config } from "../../config/config.ts";
import { InputError } from "../../protocol/input.ts";
import { allOf, changesBy, changesText, type Changes, type InForce } from "./changes.ts";
import { readConfigFile } from "./config-file.ts";

/** How the config in a file is to what is in force. */
export type ConfigSight =
  | { readonly kind: "none" | "in_force" }
  | { readonly kind: "proposes"; readonly changes: Changes }
  | { readonly kind: "broken"; readonly why: string };

/** Looks at the config in a file; what is wrong with it is no error here. */
export function lookAtConfig(file: string, inForce: InForce): ConfigSight {
  const read = readOrSayWhy(file);
  if (read === undefined) return { kind: "none" };
  if ("why" in read) return { kind: "broken", why: read.why };
  const changes = changesBy(read.config, inForce);
  return allOf(changes).length === 0 ? { kind: "in_force" } : { kind: "proposes", changes };
}

/** Says what of the config in a file is not in force; undefined where there is nothing to say. */
export function configNote(file: string, sight: ConfigSight): string | undefined {
  if (sight.kind === "broken") return noteBroken(sight.why);
  if (sight.kind !== "proposes") return undefined;
  const how = "`stint contract enact` puts it in force";
  return `note: ${file} proposes ${changesText(sight.changes)}, not in force yet; ${how}`;
}

/** Says that the config in a file cannot be read, and why; undefined when it can. */
export function brokenConfigNote(file: string): string | undefined {
  const read = readOrSayWhy(file);
  return read !== undefined && "why" in read ? noteBroken(read.why) : undefined;
}

function noteBroken(why: string): string {
  // What is wrong names the file, and its line.
  return `note: ${CONFIG_NAME} cannot be read, and the contract in force goes on: ${why}`;
}

/** Undefined when there is no file. */
function readOrSayWhy(
  file: string,
): { readonly config: Config } | { readonly why: string } | undefined {
  try {
    const config = readConfigFile(file);
    return config === undefined ? undefined : { config };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { why: error.message };
  }
}
