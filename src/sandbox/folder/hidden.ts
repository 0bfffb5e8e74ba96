// What is hidden is covered by its path, and whoever may rename a folder above it may put another
// one under that path: a worker may, for what lies above belongs to its user. So each hidden folder
// is held by a descriptor from the opening of the driver on, and a launch is let run only when
//
// - the folder that is held still lies under the path that is covered, before the launch and after,
// - in the sandbox's own view something else lies there, and what is shown is what was to be shown.
//
// A folder swapped to and fro could be looked at in the right state by luck: so it is looked at
// often, in an order that nobody can foresee.

import { basename, dirname, join } from "node:path";
import { type Check, checkOften, Held, seenBy, unfit } from "./held.ts";
import { isBelow, tryRealpath } from "./paths.ts";

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
    const missing = this.#paths.filter((path) => !this.#held.has(path));
    return new Cover({ hidden, missing: missing.map(placeOf) }, visible);
  }

  /** Lets go of all folders; safe to call twice. */
  close(): void {
    for (const held of this.#held.values()) held.close();
    this.#held.clear();
  }

  #holdMissing(): void {
    for (const path of this.#paths) {
      const known = this.#held.get(path);
      // A folder that was deleted hides nothing any more, and another may take its place.
      if (known?.isDeleted === false) continue;
      known?.close();
      this.#held.delete(path);
      const real = tryRealpath(path);
      const held = real === undefined ? undefined : Held.folder(real);
      if (held !== undefined) this.#held.set(path, held);
    }
  }
}

/** What else is to hold of a view, beside what every cover demands. */
export interface OfView {
  /**
   * Whether a hidden folder would be seen there if it were not covered, as any would be where a
   * view begins with that of the host. One that is not in view must not be seen, and that is all.
   */
  readonly isInView?: (path: string) => boolean;
  readonly also?: readonly Check[];
}

/** What one launch covers and shows. */
export class Cover {
  /** Real paths of the folders to cover. */
  readonly hidden: readonly string[];
  /** Where those would lie that are to be covered and are not there. */
  readonly missing: readonly string[];
  readonly #hidden: readonly Held[];
  readonly #visible: Held[] = [];

  constructor(
    { hidden, missing }: { readonly hidden: readonly Held[]; readonly missing: readonly string[] },
    visible: readonly string[],
  ) {
    this.#hidden = hidden;
    this.hidden = hidden.map(({ path }) => path);
    this.missing = missing;
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
  demandHolds(pid: number, { isInView = () => true, also = [] }: OfView = {}): void {
    const demandHidden = (one: Held): void =>
      isInView(one.path) ? demandCovered(one, pid) : demandUnseen(one, pid);
    checkOften([
      ...this.#hidden.flatMap((one) => [() => demandInPlace(one), () => demandHidden(one)]),
      ...this.#visible.flatMap((one) => [() => demandInPlace(one), () => demandShown(one, pid)]),
      ...also,
    ]);
  }

  /** Lets go of the folders that are shown. */
  close(): void {
    for (const held of this.#visible.splice(0)) held.close();
  }
}

/** Where something would lie that is not there: the real path of what there is of it. */
function placeOf(path: string): string {
  const names: string[] = [];
  for (let known = path; known !== dirname(known); known = dirname(known)) {
    const real = tryRealpath(known);
    if (real !== undefined) return join(real, ...names);
    names.unshift(basename(known));
  }
  return path;
}

/** What is shown is found from the folder that hides it: no name above that one has a say. */
function holdVisible(path: string, hidden: readonly Held[]): readonly Held[] {
  const real = tryRealpath(path);
  const cover = hidden.find((one) => real !== undefined && isBelow(real, one.path));
  if (real === undefined || cover === undefined) return [];
  const below = real.slice(cover.path.length);
  const held = Held.folder(`/proc/self/fd/${cover.fd}${below}`);
  if (held === undefined) throw unfit(real, "be a folder to be shown", "it is none");
  if (held.path === real) return [held];
  held.close();
  throw unfit(real, "be shown from where it lies", `it is at ${held.path}`);
}

function demandInPlace(one: Held): void {
  one.demandInPlace("when it was first hidden");
}

function demandCovered(one: Held, pid: number): void {
  const seen = seenBy(pid, one.path);
  if (seen !== undefined && !one.isSame(seen)) return;
  const got = seen === undefined ? "it cannot be looked at" : "it is not";
  throw unfit(one.path, "be covered in a sandbox's view", got);
}

function demandUnseen(one: Held, pid: number): void {
  // Of a view that cannot be looked into nothing is known.
  const isLookedAt = seenBy(pid, "/") !== undefined;
  if (isLookedAt && !one.isSame(seenBy(pid, one.path))) return;
  const got = isLookedAt ? "it is seen" : "that cannot be looked into";
  throw unfit(one.path, "be outside of a sandbox's view", got);
}

function demandShown(one: Held, pid: number): void {
  if (one.isSame(seenBy(pid, one.path))) return;
  throw unfit(one.path, "be what a sandbox is shown there", "it is not");
}
