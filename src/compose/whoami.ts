import { userInfo } from "node:os";
import type { Host } from "../library/host.ts";

/** The user that this process runs as, as far as the system names one. */
export function whoami(): Pick<Host, "uid" | "user"> {
  try {
    const { uid, username } = userInfo();
    return uid < 0 ? { user: username } : { uid, user: username };
  } catch {
    // A container whose user has no entry in the user database.
    const uid = process.getuid?.();
    return uid === undefined ? {} : { uid };
  }
}
