import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { codeOf } from "../../ports/error-code.ts";

/** The control file's text, or undefined when it, or its group, does not exist. */
export async function readControl(file: string): Promise<string | undefined> {
  // Half of what is asked for is another version's: to look costs a tenth of an error.
  if (!existsSync(file)) return undefined;
  try {
    // The kernel writes it from memory: it waits for nothing, and costs a twentieth at once of what
    // four turns through the thread pool do. To end 200 groups takes some 10 000 of these. By any
    // other encoding each would leave 64 KiB to be collected: Node cannot know how long it will be.
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The words of a control file; none when it does not exist. */
export async function readWords(file: string): Promise<readonly string[]> {
  const text = await readControl(file);
  return text?.match(/\S+/g) ?? [];
}

/** The number that a control file holds; undefined when it does not exist or says "max". */
export async function readCount(file: string): Promise<number | undefined> {
  return toCount(await readControl(file));
}

/** The number behind `name` in a control file of lines "name number". */
export async function readField(file: string, name: string): Promise<number | undefined> {
  const text = await readControl(file);
  const line = text?.split("\n").find((one) => one.startsWith(`${name} `));
  return toCount(line?.slice(name.length));
}

/** Neither made when absent nor opened for reading: cgroup.kill may only be written. */
const AS_IT_IS = constants.O_WRONLY | constants.O_TRUNC;

/** Writes to a control file that must exist; rejects with the kernel's own error. */
export async function writeControl(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: AS_IT_IS });
}

/** As {@link writeControl}, and nothing else of this process runs meanwhile. */
export function orderControl(file: string, text: string): void {
  const control = openSync(file, AS_IT_IS);
  try {
    writeSync(control, text);
  } finally {
    closeSync(control);
  }
}

/** Whether an error says that the file, its group or its process is not there, or no longer. */
export function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENODEV", "ENOTDIR", "ESRCH"].includes(codeOf(error));
}

function toCount(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}
