/**
 * The code that an error carries, of the operating system (`ENOENT`), of SQLite (`SQLITE_BUSY`) or
 * of a `Fault`; "" for an error without one and for what is no error.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
