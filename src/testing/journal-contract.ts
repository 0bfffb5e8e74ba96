import { ARCHIVE_CASES } from "./journal/archive-cases.ts";
import { APPEND_CASES } from "./journal/append-cases.ts";
import type { JournalCase } from "./journal/case.ts";
import { READ_CASES } from "./journal/read-cases.ts";
import { RECOVERY_CASES } from "./journal/recovery-cases.ts";
import { TIME_CASES } from "./journal/time-cases.ts";

/**
 * What every journal adapter owes, as cases for any test runner:
 * `for (const { name, run } of JOURNAL_CONTRACT) test(name, () => run(open))`.
 */
export const JOURNAL_CONTRACT: readonly JournalCase[] = [
  ...APPEND_CASES,
  ...READ_CASES,
  ...TIME_CASES,
  ...RECOVERY_CASES,
  ...ARCHIVE_CASES,
];
