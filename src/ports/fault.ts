/**
 * Codes of faults: the world failed, not the rules and not Stint.
 * Meaning, HTTP status and exit code stand in `protocol/problem.ts`.
 */
export const FAULT_CODES = [
  "storage_full",
  "storage_failed",
  "storage_busy",
  "journal_corrupt",
  "journal_truncated",
  "journal_forked",
  "journal_newer",
  "journal_missing",
  "archive_broken",
  "clock_skew",
  "network_filesystem",
  "sqlite_unsupported",
  "sandbox_unavailable",
  "sandbox_failed",
  "supervisor_unreachable",
  "append_unknown",
  "secret_missing",
  "key_mismatch",
  "closed",
] as const;

/** A code of a fault. */
export type FaultCode = (typeof FAULT_CODES)[number];

/**
 * The world failed: disk, clock, sandbox. Thrown; loops retry it only if `retryable`,
 * and the edges translate it once.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  /** Whether the same call may succeed later without anybody's help. */
  readonly retryable: boolean;

  /** `message` is a sentence with expectation and actual value. */
  constructor(
    code: FaultCode,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}
