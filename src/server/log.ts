import { closeSync, openSync, writeSync } from "node:fs";
import { pino } from "pino";
import type { Log } from "../ports/log.ts";

/** A log that is to be closed. */
export interface ServerLog extends Log {
  /** Closes its file; safe to call twice. */
  close(): void;
}

const STDERR = 2;

/**
 * Opens a log of JSON lines by pino: on stderr, or at the end of a file (mode 0600), for a program
 * such as logrotate to turn. What a full disk does not take is lost; it never throws while logging.
 */
export function openServerLog(file: string | undefined): ServerLog {
  let descriptor: number | undefined = file === undefined ? STDERR : openSync(file, "a", 0o600);
  const write = (line: string): void => {
    try {
      if (descriptor !== undefined) writeSync(descriptor, line);
    } catch {
      // Nobody is to fail because a line of a log could not be kept.
    }
  };
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write,
    },
  );
  return {
    warn: (message, facts = {}) => logger.warn(plain(facts), message),
    info: (message, facts = {}) => logger.info(plain(facts), message),
    close: () => {
      if (file !== undefined && descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** Errors as their texts, for an Error has no fields of its own for JSON to show. */
function plain(facts: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      fact instanceof Error ? (fact.stack ?? fact.message) : fact,
    ]),
  );
}
