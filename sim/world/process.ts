import { Fault } from "../../src/ports/fault.ts";
import type { Log } from "../../src/ports/log.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import type { Connection } from "./connection.ts";

/** One process of a simulated host: a loop of its own over the shared store. */
export interface Process {
  readonly name: string;
  readonly connection: Connection;
  /** The key it was started with, or has learned since. */
  signer: Signer;
  /** Undefined until it has opened the journal. */
  loop: Loop | undefined;
  status: "opening" | "open" | "closing" | "dead";
}

/** A log that tells apart what the world did and what only a broken program says. */
export function bugLog(onBug: (message: string) => void, onWarning: (text: string) => void): Log {
  return {
    info: () => undefined,
    warn(message, { error } = {}) {
      if (error instanceof Fault) onWarning(`${message} (${error.code})`);
      else if (error === undefined) onWarning(message);
      else onBug(`${message}: ${error instanceof Error ? String(error) : typeof error}`);
    },
  };
}
