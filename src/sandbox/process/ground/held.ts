import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { O_PATH } from "../../folder/held.ts";
import type { Mount } from "../rung/mounts.ts";

/**
 * A mount in a sandbox through which can be written, held by a descriptor: whatever is mounted over
 * it later, and wherever its folder is moved, it is this one that is made read-only.
 */
export class HeldMount {
  readonly id: string;
  readonly at: string;
  /** Its options, as mountinfo has them. */
  readonly options: string;
  readonly fd: number;
  /** Whether it was made read-only; it is never made writable again. */
  isSealed = false;

  private constructor({ id, at, options }: Mount, fd: number) {
    this.id = id;
    this.at = at;
    this.options = options;
    this.fd = fd;
  }

  /** Holds a mount that a process has; undefined where its path leads to another. */
  static of(pid: number, mount: Mount): HeldMount | undefined {
    let fd: number;
    try {
      fd = openSync(`/proc/${pid}/root${mount.at}`, O_PATH | constants.O_NOFOLLOW);
    } catch {
      // Moved away, or ended.
      return undefined;
    }
    if (mountIdOf(fd) === mount.id) return new HeldMount(mount, fd);
    closeSync(fd);
    return undefined;
  }

  /** Whether its folder was removed: nothing can be made in it any more, by nobody. */
  get isRemoved(): boolean {
    return fstatSync(this.fd).nlink === 0;
  }

  /** Lets go of it. Once. */
  close(): void {
    closeSync(this.fd);
  }
}

function mountIdOf(fd: number): string | undefined {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
}
