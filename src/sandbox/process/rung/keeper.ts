// On the upper rungs a sandbox's first process is the keeper: a shell that is process 1 of the
// sandbox's own pid namespace, reaps what is orphaned there, and whose end is the end of all of it.
//
//     starter                               keeper (inside)
//     ◀───────────────────────── "ready" ── its namespaces stand, it dies with its starter
//     puts namespace and keeper on record
//     the environment, then the end ──────▶ runs the program, waits for it, exits as it did
//     ◀──────────── "unlaunched", perhaps ── the program could not be run
//
// If the starter dies before it has said all, the keeper reads the end of an unfinished script and
// exits, and nothing ran. So whatever has run is on record, and was bound to its starter's life.
//
// The environment of the program is said only here, inside: a worker may choose it for its child,
// and with LD_PRELOAD or PATH in it could have its own code run by what sets the namespaces up.

import type { ChildProcess } from "node:child_process";
import { Duplex } from "node:stream";
import { ok } from "../../../kernel/assert.ts";
import { within } from "../../end/within.ts";
import { quote } from "./shell.ts";

/** Becomes the program; a failure is told to the keeper, for a program can exit with 127 too. */
const BECOME = `
[ -z "\${BASH_VERSION-}" ] || shopt -s execfail
trap 'kill -USR1 "$PPID"' EXIT
exec "$@"
exit 127
`;

// All that is read is one compound command: cut short anywhere, it is none. The program's errors
// are its own: a shell would add to them the signal that its child has died of.
const KEEP = `
stint_script=
trap 'stint_failed=yes' USR1
echo ready >&3 || exit 125
while IFS= read -r stint_line <&3; do
  stint_script="$stint_script$stint_line
"
done
exec 4>&2 2>/dev/null
eval "$stint_script"
[ "\${stint_go-}" = yes ] || exit 125
stint_become=$1
shift
(exec 2>&4 3>&- 4>&-; exec /bin/sh -c "$stint_become" sh "$@")
stint_code=$?
# Any program may send that signal: without the code of a failed exec it says nothing.
# In a shell of its own: a starter that does not listen any more ends what speaks to it.
case "\${stint_failed-}$stint_code" in yes12[67]) (echo unlaunched >&3) ;; esac
exit "$stint_code"
`;

/** What a keeper is run by, for a program and its arguments. */
export function keeperCommand(run: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", KEEP, "stint-keeper", BECOME, ...run];
}

/** Whether a process is one of a keeper's shells and not yet the program, by its arguments. */
export function isOfKeeper(argv: readonly string[]): boolean {
  return argv[2] === KEEP || argv[2] === BECOME;
}

/** What a starter says to a keeper: the environment of the program, and that it may run. */
export function keeperScript(env: Readonly<Record<string, string>>): string {
  // "command": a shell that keeps a name to itself then goes on without it.
  const lines = Object.entries(env).map(
    ([name, value]) => `command export ${name}=${quote(value)}`,
  );
  return `{\n${lines.join("\n")}\nstint_go=yes\n}\n`;
}

/** A starter's end of the line to a keeper. */
export class KeeperLine {
  readonly #stream: Duplex;
  readonly #ended: Promise<void>;
  readonly #readied = Promise.withResolvers<boolean>();
  #said = "";

  /** `child` was spawned with a pipe as its descriptor 3. */
  constructor(child: ChildProcess) {
    const stream: unknown = child.stdio[3];
    ok(stream instanceof Duplex, "a keeper has a line that goes both ways");
    this.#stream = stream;
    this.#ended = new Promise((resolve) => stream.once("close", resolve));
    // Errors: it was killed meanwhile, and its exit says so.
    stream.on("error", () => undefined);
    stream.once("close", () => this.#readied.resolve(false));
    stream.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString("latin1");
      if (this.#said.startsWith("ready\n")) this.#readied.resolve(true);
    });
  }

  /** Lets the launcher go; the line stays open for the keeper. */
  letGo(): void {
    this.#stream.write("go\n");
  }

  /** Whether the keeper stands ready; false when it has ended, or the time is up. */
  async ready(withinMs: number): Promise<boolean> {
    return (await within(this.#readied.promise, withinMs)) ?? false;
  }

  /** Has the keeper run its program. */
  run(env: Readonly<Record<string, string>>): void {
    this.#stream.end(keeperScript(env));
  }

  /** Whether the keeper has said, up to its end, that the program could not be run. */
  async hasFailed(withinMs: number): Promise<boolean> {
    await within(this.#ended, withinMs);
    return this.#said.includes("unlaunched\n");
  }

  /** Lets go of the line: a keeper that waits for it exits. */
  drop(): void {
    this.#stream.destroy();
  }
}
