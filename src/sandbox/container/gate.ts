// A container whose mounts are made runs its program at once, by the engine's calls. So that what
// it sees can be looked at before, its first program is a shell that waits for a word:
//
//     starter                             container
//     start ───────────────────────────▶  mounts, then the shell, which reads
//     look at what it sees
//     the word ────────────────────────▶  the program, without that input
//
// It reads its input, which nobody else has. When it ends without the word nothing is run.

import type { Duplex } from "node:stream";
import type { Engine } from "./engine/engine.ts";

const WORD = "go";

/**
 * The shell itself reads it, nothing is started beside it. Other lines are what Podman takes for
 * input: the bodies of the requests that attach.
 */
const SCRIPT = `
while read -r line; do
  [ "$line" = ${WORD} ] && exec "$@" < /dev/null
done
exit 126
`;

/** What becomes a program once it is let go: by a shell, which the image must have. */
export function gated(run: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", SCRIPT, "stint-gate", ...run];
}

/** The gate of one container, from before its start. */
export class Gate {
  readonly #input: Duplex;

  private constructor(input: Duplex) {
    this.#input = input;
    // An engine that goes away has shut it.
    input.on("error", () => undefined);
    input.resume();
  }

  /** Takes hold of the gate of a container that was created and not started. */
  static async attach(engine: Engine, id: string): Promise<Gate> {
    return new Gate(await engine.attachInput(id));
  }

  /** Lets the program run. */
  open(): void {
    this.#input.end(`\n${WORD}\n`);
  }

  /** Shuts it for good, unless it was opened; safe to call twice. */
  close(): void {
    if (!this.#input.writableEnded) this.#input.destroy();
  }
}
