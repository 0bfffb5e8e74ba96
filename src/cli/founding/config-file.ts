import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_NAME, readConfig, type Config } from "../../config/config.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";

/** The config of a folder. */
export function configFileOf(root: string): string {
  return join(root, CONFIG_NAME);
}

/** Reads the config in a file; undefined when there is none. Throws an InputError, with lines. */
export function readConfigFile(file: string): Config | undefined {
  if (!existsSync(file)) return undefined;
  return readConfig(readText(file), file);
}

/** Reads the config in a file that must be there. Throws an InputError. */
export function demandConfigFile(file: string): Config {
  const config = readConfigFile(file);
  if (config !== undefined) return config;
  const expected = "a file (`stint init` writes one)";
  throw new InputError("usage", [{ path: file, expected, got: "no such file" }]);
}

/** Writes a config where there is none; false when there is one now. */
export function writeConfigFile(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new Fault("storage_failed", `${file} must be writable, got ${code}: ${message}`, {
      cause: error,
    });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const got = describeValue((error as Error).message);
    throw new InputError("usage", [{ path: file, expected: "a file that can be read", got }]);
  }
}
