import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { codeOf } from "../ports/error-code.ts";
import { Fault } from "../ports/fault.ts";
import { isPlainObject } from "../protocol/input.ts";
import { asStorageFault } from "../system/storage-fault.ts";

/** What new workers of a fleet are run in. */
export type DriverChoice =
  | { readonly driver: "process" }
  | { readonly driver: "container"; readonly image: string; readonly socket?: string };

/**
 * Reads what was chosen for a fleet; processes where nobody has chosen. Throws `Fault`
 * `sandbox_unavailable` when what is there is no choice: a fleet whose workers are to be contained
 * in one way is not run in another because a file was damaged.
 */
export async function readDriverChoice(file: string): Promise<DriverChoice> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { driver: "process" };
    throw asStorageFault(error, `reading ${file}`);
  }
  const choice = parseChoice(text);
  if (choice !== undefined) return choice;
  const got = JSON.stringify(text.slice(0, 80));
  const message = `${file} must say which driver runs workers, got ${got}`;
  throw new Fault("sandbox_unavailable", `${message}; say it anew: stint supervise --driver`);
}

/** Keeps a choice for the supervisors that come; processes are what there is without one. */
export async function keepDriverChoice(file: string, choice: DriverChoice): Promise<void> {
  try {
    if (choice.driver === "process") return await rm(file, { force: true });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify(choice)}\n`, { mode: 0o600, flush: true });
    await rename(draft, file);
  } catch (error) {
    throw asStorageFault(error, `writing ${file}`);
  }
}

function parseChoice(text: string): DriverChoice | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isPlainObject(value) || value["driver"] !== "container") return undefined;
    const { image, socket } = value;
    if (typeof image !== "string" || image === "") return undefined;
    if (socket !== undefined && typeof socket !== "string") return undefined;
    return { driver: "container", image, ...(socket === undefined ? {} : { socket }) };
  } catch {
    // Half a line, or somebody's own.
    return undefined;
  }
}
