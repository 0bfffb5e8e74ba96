import { execFile } from "node:child_process";
import { stintFile } from "../task.ts";
import type { Stage } from "./stage.ts";

/** How long a call of the command line may take, ms. */
export const CALL_MS_MAX = 90_000;

/** What a call of the command line has come to. */
export interface Called {
  /** Its exit code; words where a signal has ended it. */
  readonly exit: number | string;
  /** Its answer, `{}` where that is none. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** The answer's `data`, `{}` where it has none. */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Calls the command line on the fleet, in a process of its own that has never known it. Throws the
 * signal's reason when the demo is to end.
 */
export function callStint({ premises, signal }: Stage, args: readonly string[]): Promise<Called> {
  signal.throwIfAborted();
  const own = ["--fleet", premises.stateDir, "--json"];
  const at = args.indexOf("--");
  const words = at < 0 ? [...args, ...own] : [...args.slice(0, at), ...own, ...args.slice(at)];
  return new Promise((resolve, reject) => {
    const options = { timeout: CALL_MS_MAX, cwd: premises.dir };
    // Called back when it is gone: whoever cleans up afterwards finds nothing of it.
    const child = execFile(process.execPath, [stintFile(), ...words], options, (error, stdout) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason as Error);
      else {
        const answer = recordIn(parse(stdout));
        const exit = error === null ? 0 : (error.code ?? "a signal");
        resolve({ exit, answer, data: recordIn(answer["data"]) });
      }
    });
    const end = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", end);
  });
}

/** What is an object, as one; `{}` otherwise. */
export function recordIn(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever it is, it is no answer: the checks say what they miss.
    return {};
  }
}
