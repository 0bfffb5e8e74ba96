import { programFile, type Role } from "../task.ts";

/** How the command line of a role's own process begins; that of a wrapper around it does not. */
export function roleCommand(role: Role): string {
  return `${process.execPath} ${programFile(role)}`;
}
