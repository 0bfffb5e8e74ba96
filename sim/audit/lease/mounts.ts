import type { CommandMap } from "../../../src/kernel/command.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { isWithin } from "../grounds.ts";
import {
  clashOf,
  isLiveAt,
  isSameHolder,
  type LeaseBooks,
  type LeaseRow,
  type MountRow,
  type Stake,
} from "./books.ts";
import { given, no, yes, type Expected } from "./expected.ts";
import { obstacleOfLease, type Scene } from "./holders.ts";

/** What recording a mount must come to. */
export function expectMount(
  { books, actor, atMs }: Scene,
  data: CommandMap["lease.mount"],
): Expected {
  if (actor.kind !== "supervisor") return no("not_authorised");
  if (books.killedSeq !== null) return no("fleet_killed");
  const { lease, worker } = data;
  const row = books.ground.rows.get(lease);
  const obstacle = obstacleOfLease(row, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const isIts = isSameHolder(row.holder, { worker });
  if (!isIts || books.rows.get(worker)?.status !== "running") return no("holder_mismatch");
  const region = foldersOf(row);
  const mount = books.ground.mounts.get(lease);
  if (mount !== undefined) return isAlike(mount.region, region) ? yes() : no("conflict");
  if (region.length === 0) return yes();
  return yes({ kind: "lease.mounted", data: given({ lease, worker, region }) });
}

/** What recording that a mount is gone must come to. */
export function expectFence({ books, actor }: Scene, data: CommandMap["lease.fence"]): Expected {
  if (actor.kind !== "supervisor") return no("not_authorised");
  const mount = books.ground.mounts.get(data.lease);
  if (mount?.worker !== data.worker) return yes();
  return yes({ kind: "lease.fenced", data: given({ ...data, region: mount.region }) });
}

/** What others have mounted, and hold no more, that is in the way of what somebody wants. */
export function occupying(
  { books: { ground }, atMs }: Pick<Scene, "books" | "atMs">,
  wish: Stake & { readonly holder: Holder },
): readonly MountRow[] {
  return [...ground.mounts.values()].filter((mount) => {
    if (isSameHolder(wish.holder, { worker: mount.worker })) return false;
    const isInTheWay = clashOf(ground.foldsCase, wish, { ...mount, alone: false }) !== null;
    return isInTheWay && !isHeld(ground, mount, atMs);
  });
}

/** Whether a lease still gives the right to all that is mounted for it. */
function isHeld(ground: LeaseBooks, { lease, region }: MountRow, atMs: number): boolean {
  const row = ground.rows.get(lease);
  if (row === undefined || !isLiveAt(row, atMs)) return false;
  const { foldsCase } = ground;
  return isWithin({ patterns: region, foldsCase }, { patterns: row.region, foldsCase });
}

/** The patterns of a lease that are of whole folders, by their looks. */
export function foldersOf({ region, mode }: Pick<LeaseRow, "region" | "mode">): readonly string[] {
  if (mode === "shared") return [];
  const files = region.filter((pattern) => !/^!?(?:\*|[a-z][a-z0-9-]*):/.test(pattern));
  const left = files.filter((pattern) => pattern.startsWith("!"));
  if (!left.every((pattern) => isFolder(pattern.slice(1)))) return [];
  const folders = files.filter((pattern) => !pattern.startsWith("!") && isFolder(pattern));
  const outer = folders.filter(
    (one) => !folders.some((other) => other !== one && lies(one, other)),
  );
  return outer.length === 0 ? [] : [...outer, ...left];
}

function isFolder(pattern: string): boolean {
  return /^(?:[^*?[\]{}\\]+\/)?\*\*$/.test(pattern);
}

/** Whether a folder lies in another, both ending in `**`. */
function lies(one: string, other: string): boolean {
  return one.startsWith(other.slice(0, -2));
}

/** Whether two lists of patterns are the same. */
export function isAlike(one: readonly string[], other: readonly string[]): boolean {
  return one.join("\n") === other.join("\n");
}
