import type { CommandMap } from "../kernel/command.ts";

/**
 * What a caller asks for a worker to be admitted; instance and measures are added for it. It lies
 * apart from its parser, so that the doors' declarations need no types of the library that parses.
 */
export type AdmissionRequest = Omit<
  CommandMap["worker.admit"],
  "instance" | "verdicts" | "parent_use"
>;
