import type { ServiceKeeper, ServiceTold } from "../ports/service.ts";
import { reasonOf, runProgram } from "./program.ts";

/** How long a start or stop command may take, ms. */
const commandMs = 60_000;

/** A program and its arguments. */
type Argv = readonly [string, ...string[]];

/** What starts and stops a service by commands of the roster. */
export interface CommandKeeperOptions {
  readonly start: Argv | undefined;
  readonly stop: Argv | undefined;
  /** Where the commands run, an absolute path. */
  readonly cwd: string;
}

/**
 * Keeps a service by commands. What a command's exit says is that it was told; whether the service
 * lives only its beats can say.
 */
export function commandKeeper({ start, stop, cwd }: CommandKeeperOptions): ServiceKeeper {
  const tell = async (
    what: "start" | "stop",
    argv: Argv | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ServiceTold> => {
    if (argv === undefined) {
      const detail = `the roster has no ${what} command for it`;
      return { ok: false, kind: "not_installed", detail };
    }
    const given = signal === undefined ? {} : { signal };
    const ended = await runProgram(argv, { cwd, deadlineMs: commandMs, ...given });
    if (ended.kind === "exited" && ended.code === 0) return { ok: true };
    const kind = ended.kind === "not_found" ? "not_installed" : "failed";
    return { ok: false, kind, detail: reasonOf(ended) };
  };
  return {
    look: async () => ({ kind: "unknown" }),
    start: (signal) => tell("start", start, signal),
    stop: (signal) => tell("stop", stop, signal),
  };
}
