// Ground as mounts. Where a sandbox's namespace was made from lies a hub for each folder of its
// ground, whose mounts the sandbox hears of:
//
//     outside                                        inside
//     hub/src/api  writable, mounted ──propagates──▶ /repo/src/api  writable
//                                                    /repo          read-only, always
//
// So giving is a mount outside. Taking begins inside: the kernel makes a mount read-only only when
// nothing has a file open there for writing, whoever has it and however it came by it: by a
// descriptor, one on its way through a socket, a shared mapping, a ring of io_uring. From then on
// nothing can be opened for writing there either, by no path and no folder that is held. Only then
// is it unmounted outside, which takes it away inside.
//
// Each mount inside is held by a descriptor from the moment that it is there. It is that one which
// is made read-only, though another lies over it, or its folder was moved: what cannot be found any
// more may still be written through by whoever stands in it, so it counts as not taken.

import { join } from "node:path";
import type { Gift, GroundMounts, Stray } from "../../../ports/sandbox.ts";
import type { Log } from "../../../ports/log.ts";
import { isRunning } from "../../../system/process.ts";
import { hubOf } from "../rung/nest.ts";
import { type Mount, mountsOf, parseMounts, readMounts } from "../rung/mounts.ts";
import { isBelow } from "../../folder/paths.ts";
import { runIn } from "./entry.ts";
import { HeldMount } from "./held.ts";
import { ATTACH, DETACH, SEAL } from "./scripts.ts";
import { isAtOrBelow, type Recipient, type Staged, stageGift, unfit } from "./stage.ts";

/** Mounts that lie under others, and are read-only, before a sandbox is given no more. */
const buriedMax = 16;

/** A folder that was given, and what there is of it. */
interface Given {
  readonly gift: Gift;
  /** Where it is mounted outside. */
  readonly at: string;
  /** The groups of its mounts. */
  readonly groups: Set<string>;
  /** What can be written through inside. */
  readonly held: HeldMount[];
  /** What is read-only in it inside, the mounts' ids and where they are. */
  readonly closed: Map<string, string>;
  /** Whether there is something of it that could not be held. */
  isLost: boolean;
}

/** A recipient with what it was given, by the folder. */
interface Known extends Recipient {
  readonly given: Map<string, Given>;
  /** Groups of what was taken, and may lie under what is still given. */
  readonly buried: Set<string>;
  turn: Promise<unknown>;
  /** What its mounts were when nothing had strayed, as the kernel writes them. */
  wellText: string;
}

/** Gives ground to the sandboxes of this process, and takes it from them. */
export class Gifts implements GroundMounts {
  readonly #log: Log;
  readonly #known = new Map<string, Known>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes a sandbox in that stands ready to run its program. */
  add(instance: string, recipient: Recipient): void {
    const known = { ...recipient, given: new Map(), buried: new Set<string>() };
    this.#known.set(instance, { ...known, turn: Promise.resolve(), wellText: "" });
  }

  /** Forgets a sandbox that has ended: its namespaces are gone with all that was mounted there. */
  forget(instance: string): void {
    const known = this.#known.get(instance);
    this.#known.delete(instance);
    if (known === undefined) return;
    void inTurn(known, async () => {
      for (const folder of known.given.keys()) drop(known, folder);
    });
  }

  async give(instance: string, gift: Gift): Promise<void> {
    const known = this.#known.get(instance);
    if (known === undefined) throw unfit(instance, gift.folder, "it has ended, or has no ground");
    return inTurn(known, () => this.#give(instance, known, gift));
  }

  take(instance: string, folder: string): Promise<boolean> {
    const known = this.#known.get(instance);
    if (known === undefined) return Promise.resolve(true);
    return inTurn(known, () => this.#take(instance, known, folder));
  }

  strayed(instance: string): readonly Stray[] {
    const known = this.#known.get(instance);
    if (known === undefined || known.given.size === 0) return [];
    const text = readMounts(known.gate.keeper.pid);
    // It has ended: whoever hears of that does what there is to do.
    if (text === "" || text === known.wellText) return [];
    const places = new Map(parseMounts(text).map(({ id, at }) => [id, at]));
    const strayed = [...known.given.values()].flatMap((given): readonly Stray[] => {
      const isOpen = [...given.closed].some(([id, at]) => places.get(id) !== at);
      // What was moved along with an outer gift is read-only since that was taken.
      const isSealed = given.held.some((held) => held.isSealed);
      const isStray = isOpen || isSealed || isAway(given, places);
      return isStray ? [{ folder: given.gift.folder, isOpen }] : [];
    });
    known.wellText = strayed.length === 0 ? text : "";
    return strayed;
  }

  async #give(instance: string, known: Known, gift: Gift): Promise<void> {
    const { folder } = gift;
    if (known.given.has(folder)) return;
    if (buriedIn(known).length > buriedMax)
      throw unfit(instance, folder, "it was given ground around its own too often");
    try {
      await this.#mount(instance, known, gift);
      // What it was given in it before lies under it now: that is mounted on it anew.
      for (const inner of innerOf(known, folder)) await this.#mount(instance, known, inner.gift);
    } catch (error) {
      await this.#take(instance, known, folder);
      throw error;
    }
  }

  async #mount(instance: string, known: Known, gift: Gift): Promise<void> {
    const { gate, nest } = known;
    const { folder } = gift;
    const staged = await stageGift(known, instance, gift);
    const hub = hubOf(nest, staged.ground);
    const [outside, inside] = [gate.launcher, gate.keeper].map(({ pid }) => keysOf(pid));
    const args = [staged.stage, hub, ...staged.names];
    const attached = await runIn(gate, "outside", { script: ATTACH, args });
    // Whatever was said of it: what is there has been given, until it is seen to be taken.
    const at = join(hub, ...staged.names);
    const given = known.given.get(folder) ?? newGiven(gift, at);
    known.given.set(folder, given);
    const groups = mountsOf(gate.launcher.pid)
      .filter((mount) => outside?.has(keyOf(mount)) !== true && isAtOrBelow(mount.at, at))
      .flatMap(({ shared }) => shared ?? []);
    for (const group of groups) given.groups.add(group);
    const isNew = (mount: Mount): boolean =>
      inside?.has(keyOf(mount)) !== true &&
      isOf(groups, mount.master) &&
      !isAtOrBelow(mount.at, nest.folder);
    const mounts = mountsOf(gate.keeper.pid).filter((mount) => isNew(mount));
    const wrong = this.#hold(known, given, { staged, mounts });
    if (attached.ok && wrong === undefined) return;
    await runIn(gate, "outside", { script: DETACH, args: [staged.stage] });
    throw unfit(instance, folder, attached.ok ? (wrong ?? "") : attached.why);
  }

  /** Takes hold of what is there inside; says what is wrong with it, if something is. */
  #hold(
    { gate, nest }: Known,
    given: Given,
    so: { readonly staged: Staged; readonly mounts: readonly Mount[] },
  ): string | undefined {
    const { staged, mounts } = so;
    // What it has in the place of others is not its ground: it stays its own.
    const isOwn = (at: string): boolean => nest.instead.some((one) => isAtOrBelow(at, one.at));
    for (const mount of mounts.filter(({ at }) => !isOwn(at))) {
      if (mount.isReadOnly) {
        given.closed.set(mount.id, mount.at);
        continue;
      }
      const held = HeldMount.of(gate.keeper.pid, mount);
      if (held === undefined) given.isLost = true;
      else given.held.push(held);
    }
    const closed = new Set(given.closed.values());
    const left = staged.closed.find((path) => !closed.has(path));
    if (given.isLost) return "a mount of it could not be held";
    if (left !== undefined) return `${left} in it could not be left out`;
    const isThere = mounts.some(({ at, isReadOnly }) => at === given.gift.folder && !isReadOnly);
    return isThere ? undefined : `of ${mounts.length} new mounts none is there`;
  }

  async #take(instance: string, known: Known, folder: string): Promise<boolean> {
    const given = known.given.get(folder);
    if (given === undefined) return true;
    const { keeper } = known.gate;
    if (mountsOf(keeper.pid).length === 0) return !isRunning(keeper);
    if (!(await this.#seal(instance, known, given))) return false;
    // What lies in it may have been moved along by who held all of it.
    const places = new Map(mountsOf(keeper.pid).map(({ id, at }) => [id, at]));
    for (const inner of innerOf(known, folder))
      if (isAway(inner, places) && !(await this.#seal(instance, known, inner))) return false;
    drop(known, folder);
    for (const group of given.groups) known.buried.add(group);
    await this.#unbury(known);
    return true;
  }

  /** Makes all that there is of a gift read-only, for good; whether that is so. */
  async #seal(instance: string, known: Known, given: Given): Promise<boolean> {
    if (given.isLost) return false;
    known.wellText = "";
    let isSealed = true;
    for (const held of given.held.filter((one) => !one.isSealed)) {
      const order = { script: SEAL, args: [held.options], folder: held.fd };
      const sealed = await runIn(known.gate, "inside", order);
      const listed = mountsOf(known.gate.keeper.pid).find(({ id }) => id === held.id);
      const isDone = sealed.ok && listed?.isReadOnly !== false;
      // Nothing can be made in a folder that was removed; the kernel has detached its mount.
      held.isSealed = isDone || (listed === undefined && held.isRemoved);
      isSealed &&= held.isSealed;
      const why = sealed.ok ? "it is not read-only yet" : sealed.why;
      const isNews = !held.isSealed && !/busy/i.test(why);
      if (isNews) this.#log.warn("ground could not be taken", { instance, at: held.at, why });
    }
    return isSealed;
  }

  /** Takes away what was taken, but for what still lies under what is given. */
  async #unbury(known: Known): Promise<void> {
    for (const { at } of buriedIn(known).toReversed()) {
      const outside = mountsOf(known.gate.launcher.pid);
      const isNeeded = [...known.given.values()].some((given) => isAtOrBelow(given.at, at));
      const top = outside.findLast((mount) => mount.at === at);
      const isReached = top !== undefined && isOf(known.buried, top.shared);
      if (!isNeeded && isReached)
        await runIn(known.gate, "outside", { script: DETACH, args: [at] });
    }
    if (buriedIn(known).length === 0) known.buried.clear();
  }
}

function newGiven(gift: Gift, at: string): Given {
  return { gift, at, groups: new Set(), held: [], closed: new Map(), isLost: false };
}

/** Forgets a gift that was taken, or whose sandbox has ended. */
function drop(known: Known, folder: string): void {
  for (const held of known.given.get(folder)?.held ?? []) held.close();
  known.given.delete(folder);
}

/** What is given in a folder, the outer before the inner. */
function innerOf(known: Known, folder: string): readonly Given[] {
  return [...known.given.values()]
    .filter(({ gift }) => isBelow(gift.folder, folder))
    .toSorted((one, other) => one.gift.folder.length - other.gift.folder.length);
}

/** Whether what can be written through is elsewhere than where it was given. */
function isAway({ held }: Given, places: ReadonlyMap<string, string>): boolean {
  return held.some(({ id, at, isSealed }) => !isSealed && places.get(id) !== at);
}

/** What was taken and is still there outside, the later after the earlier. */
function buriedIn({ gate, buried }: Known): readonly Mount[] {
  if (buried.size === 0) return [];
  return mountsOf(gate.launcher.pid).filter(({ shared }) => isOf(buried, shared));
}

/** What tells a mount from others: ids of the host's that go away are given to new ones at once. */
function keyOf({ id, at, root, shared, master }: Mount): string {
  return [id, at, root, shared, master].join("\0");
}

function keysOf(pid: number): ReadonlySet<string> {
  return new Set(mountsOf(pid).map((mount) => keyOf(mount)));
}

function isOf(groups: ReadonlySet<string> | readonly string[], group: string | undefined): boolean {
  return group !== undefined && new Set(groups).has(group);
}

/** One thing at a time for a sandbox: its stage is one. */
function inTurn<T>(known: Known, act: () => Promise<T>): Promise<T> {
  const turn = known.turn.then(act);
  known.turn = turn.catch(() => undefined);
  return turn;
}
