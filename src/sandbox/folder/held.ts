import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  statSync,
} from "node:fs";
import { randomInt } from "node:crypto";
import { Fault } from "../../ports/fault.ts";

/** Names what is there without a right to read it (open(2)); Node has no name for it. */
export const O_PATH = 0o10000000;

/** How often each thing is looked at when a process stands ready to run a program. */
const looks = 16;

/** What names a file or folder of a host, whatever its path. */
interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A folder, or a file, that is held by a descriptor, and the path that it had then. */
export class Held {
  readonly fd: number;
  readonly path: string;

  private constructor(fd: number) {
    this.fd = fd;
    this.path = readlinkSync(`/proc/self/fd/${fd}`);
  }

  /** Holds a folder; undefined where there is none, or it is not for this user to see. */
  static folder(path: string): Held | undefined {
    return hold(path, constants.O_DIRECTORY, (fd) => new Held(fd));
  }

  /** Holds what lies there, be it a folder or not; undefined as for {@link folder}. */
  static any(path: string): Held | undefined {
    return hold(path, 0, (fd) => new Held(fd));
  }

  /** Whether it was deleted. */
  get isDeleted(): boolean {
    return fstatSync(this.fd).nlink === 0;
  }

  /** Demands that it lies where it did, else throws `Fault` `sandbox_failed`; `since`: in words. */
  demandInPlace(since: string): void {
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    const there = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (path === this.path && this.isSame(there)) return;
    const got = path === this.path ? "another is there" : `it is at ${path}`;
    throw unfit(this.path, `stay where it was ${since}`, got);
  }

  /** Whether another that was looked at is this one. */
  isSame(other: Identity | undefined): boolean {
    const { dev, ino } = fstatSync(this.fd, { bigint: true });
    return other !== undefined && other.dev === dev && other.ino === ino;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function hold(path: string, kind: number, make: (fd: number) => Held): Held | undefined {
  try {
    return make(openSync(path, O_PATH | constants.O_NOFOLLOW | kind));
  } catch {
    // Not there, or not for this user to see: then not for its workers either.
    return undefined;
  }
}

/** What a process has at a path; undefined where it has nothing, or has ended. */
export function seenBy(pid: number, path: string): Identity | undefined {
  try {
    return statSync(`/proc/${pid}/root${path}`, { bigint: true, throwIfNoEntry: false });
  } catch {
    // It ended, or a name above is a link out of its view.
    return undefined;
  }
}

/** Demands something of the world, and throws when it does not hold. */
export type Check = () => void;

/**
 * Makes each check many times, in an order that nobody can foresee: what is swapped to and fro
 * could be looked at in the right state by luck.
 */
export function checkOften(checks: readonly Check[]): void {
  const all = Array.from({ length: looks }, () => checks).flat();
  const keyed = all.map((check) => ({ check, key: randomInt(2 ** 32) }));
  for (const { check } of keyed.toSorted((a, b) => a.key - b.key)) check();
}

/** The fault for a folder that a start must not go on with. */
export function unfit(path: string, expectation: string, got: string): Fault {
  const message = `the folder ${path} must ${expectation}, ${got}: nothing is run`;
  return new Fault("sandbox_failed", message);
}
