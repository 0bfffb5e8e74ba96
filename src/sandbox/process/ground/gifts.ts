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

import { statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Gift, GroundMounts } from "../../../ports/sandbox.ts";
import { Fault } from "../../../ports/fault.ts";
import type { Log } from "../../../ports/log.ts";
import { isRunning } from "../../../system/process.ts";
import { isBelow, tryRealpath } from "../rung/paths.ts";
import { hubOf, type Nest } from "../rung/nest.ts";
import { type Mount, mountsOf } from "../rung/mounts.ts";
import { type Gate, runIn } from "./entry.ts";
import { SYSTEM_PATH } from "../rung/programs.ts";
import { ATTACH, DETACH, SEAL, STAGE } from "./scripts.ts";

/** A sandbox that ground can be given to. */
export interface Recipient {
  readonly nest: Nest;
  readonly gate: Gate;
  /** Real paths of folders that it must not see, whatever it is given. */
  readonly hidden: readonly string[];
  /** Folders in those that it is to see all the same. */
  readonly visible: readonly string[];
}

/** A recipient with what it was given: the groups of the mounts, by the folder. */
interface Known extends Recipient {
  readonly given: Map<string, ReadonlySet<string>>;
  turn: Promise<unknown>;
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
    this.#known.set(instance, { ...recipient, given: new Map(), turn: Promise.resolve() });
  }

  /** Forgets a sandbox that has ended: its namespaces are gone with all that was mounted there. */
  forget(instance: string): void {
    this.#known.delete(instance);
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

  async #give(instance: string, known: Known, { folder, kept }: Gift): Promise<void> {
    if (known.given.has(folder)) return;
    const { nest, gate } = known;
    const ground = groundOf(nest, folder);
    if (ground === undefined) throw unfit(instance, folder, "it is not of its ground");
    const names = namesBetween(ground, folder);
    const hidden = known.hidden.filter((path) => isBelow(path, folder));
    if (isOfSystem(folder)) throw unfit(instance, folder, "programs of the system lie there");
    const isHidden = known.hidden.some((path) => path === folder || isBelow(folder, path));
    if (isHidden) throw unfit(instance, folder, "no sandbox may see it");
    const stage = join(nest.folder, "stage");
    const isCovered = (path: string): boolean => hidden.some((other) => isBelow(path, other));
    const own = nest.instead.filter(({ at }) => isBelow(at, folder));
    const isOwn = (path: string): boolean => own.some(({ at }) => at === path);
    const others = kept.filter((path) => !isOwn(path));
    const parts = [hidden, known.visible.filter(isCovered), others];
    const counts = [...parts, own].map(({ length }) => String(length));
    const inGift = (path: string): string => relative(folder, path);
    const bound = own.flatMap(({ from, at, isReadOnly }) => [
      isReadOnly ? "ro" : "rw",
      from,
      inGift(at),
    ]);
    const staged = [stage, ground, ...counts, ...parts.flat().map(inGift), ...bound, ...names];
    await demand(await runIn(gate, "outside", { script: STAGE, args: staged }), instance, folder);
    const hub = hubOf(nest, ground);
    try {
      this.#demandStaged({ ...known, hidden }, { instance, folder, stage });
    } catch (error) {
      await runIn(gate, "outside", { script: DETACH, args: [stage] });
      throw error;
    }
    const before = new Set(mountsOf(gate.launcher.pid).map(({ id }) => id));
    const attached = await runIn(gate, "outside", { script: ATTACH, args: [stage, hub, ...names] });
    const at = join(hub, ...names);
    const isNew = (mount: Mount): boolean => !before.has(mount.id) && isAtOrBelow(mount.at, at);
    const groups = mountsOf(gate.launcher.pid)
      .filter(isNew)
      .flatMap(({ shared }) => shared ?? []);
    // Whatever was said of it: what is there has been given, until it is seen to be taken.
    known.given.set(folder, new Set(groups));
    const isThere = heard(known, new Set(groups)).some((mount) => mount.at === folder);
    if (attached.ok && isThere) return;
    await runIn(gate, "outside", { script: DETACH, args: [stage] });
    await this.#take(instance, known, folder);
    await demand(attached, instance, folder);
    throw unfit(instance, folder, "it was not mounted where it was to be");
  }

  /** What was prepared is what was meant: a folder may have been moved on the way. */
  #demandStaged(
    { gate, nest, hidden }: Known,
    so: { readonly instance: string; readonly folder: string; readonly stage: string },
  ): void {
    const { instance, folder, stage } = so;
    const seen = (path: string): string => `/proc/${gate.launcher.pid}/root${path}`;
    const mount = mountsOf(gate.launcher.pid).findLast(({ at }) => at === stage);
    if (mount === undefined || identityOf(seen(stage)) !== identityOf(folder))
      throw unfit(instance, folder, "another folder was found there");
    for (const path of hidden) {
      const inside = identityOf(seen(join(stage, relative(folder, path))));
      const isCovered = inside === undefined || inside !== identityOf(path);
      if (!isCovered || identityOf(path) === undefined)
        throw unfit(instance, folder, `${path} in it could not be kept from it`);
    }
    if (isBelow(nest.folder, folder) && hidden.length === 0)
      throw unfit(instance, folder, "what belongs to the sandbox itself lies in it");
  }

  async #take(instance: string, known: Known, folder: string): Promise<boolean> {
    const groups = known.given.get(folder);
    if (groups === undefined) return true;
    const { gate } = known;
    if (mountsOf(gate.keeper.pid).length === 0) return !isRunning(gate.keeper);
    const isOwn = (at: string): boolean =>
      known.nest.instead.some((one) => isAtOrBelow(at, one.at));
    // What it has in the place of others is not its ground: it stays its own.
    const stillOpen = (): readonly Mount[] =>
      heard(known, groups).filter(({ isReadOnly, at }) => !isReadOnly && !isOwn(at));
    const open = stillOpen();
    if (open.length > 0) {
      // What is mounted on another is reached first.
      const args = open.toReversed().flatMap(({ at, options }) => [at, options]);
      const sealed = await runIn(gate, "inside", { script: SEAL, args });
      const isGone = mountsOf(gate.keeper.pid).length === 0;
      if (isGone || stillOpen().length > 0) {
        const why = sealed.ok ? "it is not read-only yet" : sealed.why;
        if (!/busy/i.test(why)) this.#log.warn("ground could not be taken", { instance, why });
        return false;
      }
    }
    const outside = mountsOf(gate.launcher.pid).filter(({ shared }) => isOf(groups, shared));
    const [top] = outside.map(({ at }) => at).toSorted((a, b) => a.length - b.length);
    if (top !== undefined) await runIn(gate, "outside", { script: DETACH, args: [top] });
    const isLeft = heard(known, groups).some(({ at }) => at === folder);
    if (isLeft) this.#log.warn("ground was left read-only", { instance, folder });
    known.given.delete(folder);
    return true;
  }
}

/** The mounts inside that hear from groups outside, but for those that no way leads to. */
function heard({ gate, nest }: Known, groups: ReadonlySet<string>): readonly Mount[] {
  const isReached = ({ at }: Mount): boolean => !isAtOrBelow(at, nest.folder);
  const mounts = mountsOf(gate.keeper.pid);
  return mounts.filter((mount) => isOf(groups, mount.master) && isReached(mount));
}

function isOf(groups: ReadonlySet<string>, group: string | undefined): boolean {
  return group !== undefined && groups.has(group);
}

/** One thing at a time for a sandbox: its stage is one. */
function inTurn<T>(known: Known, act: () => Promise<T>): Promise<T> {
  const turn = known.turn.then(act);
  known.turn = turn.catch(() => undefined);
  return turn;
}

/** Where what is run in a sandbox's namespace with rights to mount is found. */
const OF_SYSTEM = [...SYSTEM_PATH.split(":"), "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc"];

/** Whether who may write to a folder could have this process run something else. */
function isOfSystem(folder: string): boolean {
  const real = OF_SYSTEM.flatMap((path) => tryRealpath(path) ?? []);
  return real.some((path) => isAtOrBelow(path, folder) || isAtOrBelow(folder, path));
}

function groundOf({ ground }: Nest, folder: string): string | undefined {
  return ground.find((path) => isAtOrBelow(folder, path));
}

function namesBetween(ground: string, folder: string): readonly string[] {
  return relative(ground, folder).split("/").filter(Boolean);
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder);
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

async function demand(
  done: { readonly ok: true } | { readonly ok: false; readonly why: string },
  instance: string,
  folder: string,
): Promise<void> {
  if (!done.ok) throw unfit(instance, folder, done.why);
}

function unfit(instance: string, folder: string, why: string): Fault {
  const message = `${folder} must be one that ${instance} can be let write to, it is not: ${why}`;
  return new Fault("sandbox_failed", message);
}
