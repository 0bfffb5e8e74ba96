import { createHash } from "node:crypto";
import { basename } from "node:path";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { SetVariable } from "./environment.ts";

/** How much of a command the record shows, characters. */
const shownChars = 160;

const digestChars = 16;

/**
 * The command as the journal remembers it. Arguments may hold what is not for the record, so it
 * names the program and gives a digest of the whole: command, folder and given variables; before
 * that stands `why`, in the caller's words. Throws an InputError when they leave no room for it.
 */
export function commandReason(
  run: readonly [string, ...string[]],
  so: {
    readonly cwd: string;
    readonly given: readonly SetVariable[];
    readonly why: string | undefined;
  },
): string {
  const whole = JSON.stringify([run, so.cwd, so.given.map(({ name, value }) => [name, value])]);
  const digest = createHash("sha256").update(whole).digest("hex").slice(0, digestChars);
  const what = `stint run ${basename(run[0]).slice(0, shownChars)} sha256:${digest}`;
  const reason = so.why === undefined ? what : `${so.why}; ${what}`;
  const excess = Buffer.byteLength(reason) - LIMITS.reasonBytesMax;
  if (excess <= 0) return reason;
  const most = Math.max(0, Buffer.byteLength(so.why ?? "") - excess);
  const got = describeValue(so.why);
  throw new InputError("usage", [{ path: "--reason", expected: `at most ${most} bytes`, got }]);
}

/** What a reason of the command line says: who was run, and why if somebody has said so. */
export interface CommandReason {
  readonly program: string;
  /** The beginning of the digest of the whole command, `sha256:…`. */
  readonly digest: string;
  readonly why: string | undefined;
}

/** Reads the reason that a worker of `run` or `spawn` was admitted for; undefined for others. */
export function parseCommandReason(reason: string): CommandReason | undefined {
  const found = /^(?:(.*); )?stint run (.+) (sha256:[0-9a-f]{16})$/s.exec(reason);
  if (found === null) return undefined;
  const [, why, program = "", digest = ""] = found;
  return { program, digest, why };
}
