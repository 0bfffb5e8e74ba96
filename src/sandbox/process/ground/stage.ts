import { lstatSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { Fault } from "../../../ports/fault.ts";
import type { Gift } from "../../../ports/sandbox.ts";
import { mountsOf } from "../rung/mounts.ts";
import type { Nest } from "../rung/nest.ts";
import { isBelow, tryRealpath } from "../../folder/paths.ts";
import { SYSTEM_PATH } from "../rung/programs.ts";
import { type Gate, runIn } from "./entry.ts";
import { type Fixed, fixedIn } from "./fixed.ts";
import { DETACH, STAGE } from "./scripts.ts";

/** A sandbox that ground can be given to. */
export interface Recipient {
  readonly nest: Nest;
  readonly gate: Gate;
  /** Real paths of folders that it must not see, whatever it is given. */
  readonly hidden: readonly string[];
  /** Folders in those that it is to see all the same. */
  readonly visible: readonly string[];
}

/** A gift as it stands ready, where nobody sees it. */
export interface Staged {
  /** Where it stands, in the namespace outside. */
  readonly stage: string;
  /** The ground that it is of. */
  readonly ground: string;
  /** The names that lead to it from there. */
  readonly names: readonly string[];
  /** What is to be read-only in it, absolute. */
  readonly closed: readonly string[];
}

/** Where what is run in a sandbox's namespace with rights to mount is found. */
const OF_SYSTEM = [...SYSTEM_PATH.split(":"), "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc"];

/** Prepares a gift, and sees to it that it is what was meant. Throws `Fault` `sandbox_failed`. */
export async function stageGift(to: Recipient, instance: string, gift: Gift): Promise<Staged> {
  const { nest, gate } = to;
  const { folder } = gift;
  const ground = nest.ground.find((path) => isAtOrBelow(folder, path));
  if (ground === undefined) throw unfit(instance, folder, "it is not of its ground");
  const hidden = to.hidden.filter((path) => isBelow(path, folder));
  if (isOfSystem(folder)) throw unfit(instance, folder, "programs of the system lie there");
  if (to.hidden.some((path) => isAtOrBelow(folder, path)))
    throw unfit(instance, folder, "no sandbox may see it");
  const own = nest.instead.filter(({ at }) => isBelow(at, folder));
  const isCovered = (path: string): boolean => hidden.some((other) => isAtOrBelow(path, other));
  const isOwn = (path: string): boolean => own.some(({ at }) => at === path);
  const fixed = fixedIn(gift, (path) => isCovered(path) || isOwn(path));
  for (const { path } of fixed)
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw unfit(instance, folder, `${path} is a link, and could be made to lead elsewhere`);

  const stage = join(nest.folder, "stage");
  const names = relative(ground, folder).split("/").filter(Boolean);
  const inGift = (path: string): string => relative(folder, path);
  const visible = to.visible.filter((path) => isCovered(path));
  const counts = [hidden, visible, fixed, own].map(({ length }) => String(length));
  const args = [
    ...[...hidden, ...visible].map(inGift),
    ...fixed.flatMap(({ kind, path }) => [kind, inGift(path)]),
    ...own.flatMap(({ from, at, isReadOnly }) => [isReadOnly ? "ro" : "rw", from, inGift(at)]),
  ];
  const order = { script: STAGE, args: [stage, ground, ...counts, ...args, ...names] };
  const staged = await runIn(gate, "outside", order);
  try {
    if (!staged.ok) throw unfit(instance, folder, staged.why);
    const closed = demandStaged(to, { instance, folder, stage, hidden, fixed });
    return { stage, ground, names, closed };
  } catch (error) {
    await runIn(gate, "outside", { script: DETACH, args: [stage] });
    throw error;
  }
}

/**
 * What was prepared is what was meant: a folder may have been moved on the way. Answers what is
 * read-only of it.
 */
function demandStaged(
  { gate, nest }: Recipient,
  so: {
    readonly instance: string;
    readonly folder: string;
    readonly stage: string;
    readonly hidden: readonly string[];
    readonly fixed: readonly Fixed[];
  },
): readonly string[] {
  const { instance, folder, stage, hidden, fixed } = so;
  const mounts = mountsOf(gate.launcher.pid);
  const staged = (path: string): string => join(stage, relative(folder, path));
  const seen = (path: string): string => `/proc/${gate.launcher.pid}/root${staged(path)}`;
  const mountAt = (path: string) => mounts.findLast(({ at }) => at === staged(path));
  const isSame = (path: string): boolean => {
    const identity = identityOf(path);
    return identity !== undefined && identity === identityOf(seen(path));
  };
  if (mountAt(folder) === undefined || !isSame(folder))
    throw unfit(instance, folder, "another folder was found there");
  for (const path of hidden)
    if (identityOf(path) === undefined || isSame(path))
      throw unfit(instance, folder, `${path} in it could not be kept from it`);
  const isThere = ({ kind, path }: Fixed): boolean =>
    kind === "left" || kind === "made" || identityOf(path) !== undefined;
  const there = fixed.filter((one) => isThere(one));
  const isClosed = ({ kind }: Fixed): boolean => kind === "left" || kind === "kept";
  for (const one of there)
    if (!isSame(one.path) || mountAt(one.path)?.isReadOnly !== isClosed(one))
      throw unfit(instance, folder, `${one.path} in it could not be left out`);
  if (isBelow(nest.folder, folder) && hidden.length === 0)
    throw unfit(instance, folder, "what belongs to the sandbox itself lies in it");
  return there.filter((one) => isClosed(one)).map(({ path }) => path);
}

/** Whether who may write to a folder could have this process run something else. */
function isOfSystem(folder: string): boolean {
  const real = OF_SYSTEM.flatMap((path) => tryRealpath(path) ?? []);
  return real.some((path) => isAtOrBelow(path, folder) || isAtOrBelow(folder, path));
}

/** Whether a path is a folder, or lies in it. */
export function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder);
}

/** The `Fault` that a folder cannot be given. */
export function unfit(instance: string, folder: string, why: string): Fault {
  const message = `${folder} must be one that ${instance} can be let write to, it is not: ${why}`;
  return new Fault("sandbox_failed", message);
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
