// What is hidden is covered by its path, and whoever may rename a folder above it may put another
// one under that path: a worker may, for what lies above belongs to its user. So each hidden folder
// is held by a descriptor from the opening of the driver on, and a launch is let run only when
//
// - the folder that is held still lies under the path that is covered, before the launch and after,
// - in the keeper's own view something else lies there, and what is shown is what was to be shown.
//
// A folder swapped to and fro could be looked at in the right state by luck: so it is looked at
// often, in an order that nobody can foresee.

import { randomInt } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  statSync,
} from "node:fs";
import { Fault } from "../../../ports/fault.ts";
import { isBelow, tryRealpath } from "./paths.ts";

/** Names a folder without a right to read it (open(2)); Node has no name for it. */
const O_PATH = 0o10000000;

const HOLD = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** How often each thing is looked at when a keeper stands ready. */
const looks = 16;

/** A folder that is held by a descriptor, and the path that it had then. */
interface Held {
  readonly fd: number;
  readonly path: string;
}

/** The folders that no sandbox of a driver may see, each held until {@link close}. */
export class HiddenFolders {
  readonly #paths: readonly string[];
  readonly #held = new Map<string, Held>();

  /** What does not exist is held as soon as a launch finds it. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#holdMissing();
  }

  /**
   * The folders to cover and those to show in them, for one launch; to be closed after it.
   * Throws `Fault` `sandbox_failed` when one is not where it was when it was first seen.
   */
  cover(visible: readonly string[]): Cover {
    this.#holdMissing();
    const hidden = [...this.#held.values()];
    for (const one of hidden) demandInPlace(one);
    return new Cover(hidden, visible);
  }

  /** Lets go of all folders; safe to call twice. */
  close(): void {
    for (const { fd } of this.#held.values()) closeSync(fd);
    this.#held.clear();
  }

  #holdMissing(): void {
    for (const path of this.#paths) {
      const known = this.#held.get(path);
      // A folder that was deleted hides nothing any more, and another may take its place.
      if (known !== undefined && fstatSync(known.fd).nlink > 0) continue;
      if (known !== undefined) closeSync(known.fd);
      this.#held.delete(path);
      const real = tryRealpath(path);
      const held = real === undefined ? undefined : tryHold(real);
      if (held !== undefined) this.#held.set(path, held);
    }
  }
}

/** What one launch covers and shows. */
export class Cover {
  /** Real paths of the folders to cover. */
  readonly hidden: readonly string[];
  readonly #hidden: readonly Held[];
  readonly #visible: Held[] = [];

  constructor(hidden: readonly Held[], visible: readonly string[]) {
    this.#hidden = hidden;
    this.hidden = hidden.map(({ path }) => path);
    try {
      for (const path of visible) this.#visible.push(...holdVisible(path, hidden));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Demands that all of it holds in the view of a process that stands ready to run a program.
   * Throws `Fault` `sandbox_failed` otherwise.
   */
  demandHolds(pid: number): void {
    const checks = [
      ...this.#hidden.flatMap((one) => [() => demandInPlace(one), () => demandCovered(one, pid)]),
      ...this.#visible.flatMap((one) => [() => demandInPlace(one), () => demandShown(one, pid)]),
    ];
    for (const check of shuffled(Array.from({ length: looks }, () => checks).flat())) check();
  }

  /** Lets go of the folders that are shown. */
  close(): void {
    for (const { fd } of this.#visible.splice(0)) closeSync(fd);
  }
}

/** What is shown is found from the folder that hides it: no name above that one has a say. */
function holdVisible(path: string, hidden: readonly Held[]): readonly Held[] {
  const real = tryRealpath(path);
  const cover = hidden.find((one) => real !== undefined && isBelow(real, one.path));
  if (real === undefined || cover === undefined) return [];
  const below = real.slice(cover.path.length);
  const held = tryHold(`/proc/self/fd/${cover.fd}${below}`);
  if (held === undefined) throw fault(real, "be a folder to be shown", "it is none");
  if (held.path === real) return [held];
  closeSync(held.fd);
  throw fault(real, "be shown from where it lies", `it is at ${held.path}`);
}

function tryHold(path: string): Held | undefined {
  try {
    const fd = openSync(path, HOLD);
    return { fd, path: readlinkSync(`/proc/self/fd/${fd}`) };
  } catch {
    // Not there, or not for this user to see: then not for its workers either.
    return undefined;
  }
}

function demandInPlace(one: Held): void {
  const path = readlinkSync(`/proc/self/fd/${one.fd}`);
  const isSame = path === one.path && isSameFolder(one, lstatOf(one.path));
  if (isSame) return;
  const got = path === one.path ? "another is there" : `it is at ${path}`;
  throw fault(one.path, "stay where it was when it was first hidden", got);
}

function demandCovered(one: Held, pid: number): void {
  const seen = seenBy(pid, one.path);
  if (seen !== undefined && !isSameFolder(one, seen)) return;
  const got = seen === undefined ? "it cannot be looked at" : "it is not";
  throw fault(one.path, "be covered in a sandbox's view", got);
}

function demandShown(one: Held, pid: number): void {
  if (isSameFolder(one, seenBy(pid, one.path))) return;
  throw fault(one.path, "be what a sandbox is shown there", "it is not");
}

interface FolderIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

function isSameFolder({ fd }: Held, other: FolderIdentity | undefined): boolean {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return other !== undefined && other.dev === dev && other.ino === ino;
}

function lstatOf(path: string): FolderIdentity | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function seenBy(pid: number, path: string): FolderIdentity | undefined {
  try {
    return statSync(`/proc/${pid}/root${path}`, { bigint: true, throwIfNoEntry: false });
  } catch {
    // It ended, or a name above is a link out of its view.
    return undefined;
  }
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  const keyed = items.map((item) => ({ item, key: randomInt(2 ** 32) }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}

function fault(path: string, expectation: string, got: string): Fault {
  const message = `the folder ${path} must ${expectation}, ${got}: nothing is run`;
  return new Fault("sandbox_failed", message);
}
