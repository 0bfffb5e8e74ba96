import { isDeepStrictEqual } from "node:util";
import type { Command } from "../../../src/kernel/command.ts";
import type { Entry } from "../../../src/kernel/entry.ts";
import type { Lease } from "../../../src/kernel/lease/lease.ts";
import type { State } from "../../../src/kernel/state.ts";
import { isSameGround, isWithin, onGroundOf } from "../grounds.ts";
import { isSameHolder } from "./books.ts";
import { isHolders } from "./holders.ts";
import { foldersOf, isAlike } from "./mounts.ts";

/**
 * What is wrong with a yes to a command about leases of which nothing is written: then what was
 * asked for must be so in one of the states that it may have been decided on, by an instant. Null
 * when it is, when something is written, or for other commands.
 */
export function problemOfNothing(
  command: Command,
  entries: readonly Entry[],
  { states, byMs }: { readonly states: Iterable<State>; readonly byMs: number },
): string | null {
  if (!isAboutGround(command.kind)) return null;
  if (entries.some(({ kind }) => !kind.endsWith(".lapsed") && isAboutGround(kind))) return null;
  for (const state of states) {
    const live = [...state.book.leases.values()].filter((one) => one.expires_at_ms > state.at_ms);
    if (isSoAlready(command, live, state) || isWaitAsAsked(command, state, byMs)) return null;
  }
  return "nothing that lives is what was asked for";
}

function isAboutGround(kind: string): boolean {
  return /^(lease|lane|lanes|place)\./.test(kind);
}

/** A place is kept for a while yet, or has come to a lease; or it was left, or is over by then. */
function isWaitAsAsked(command: Command, state: State, byMs: number): boolean {
  if (command.kind !== "place.keep" && command.kind !== "place.leave") return false;
  const { places } = state.book.queue;
  const { leases } = state.book;
  const { place: id, claim } = command.data;
  const place = [...places.values()].find((one) => one.id === id);
  if (command.kind === "place.leave") return place === undefined || place.until_ms <= byMs;
  const isKept =
    place !== undefined && place.until_ms > state.at_ms && isHolders(claim, place.holder);
  return (
    isKept || [...leases.values()].some((one) => one.place === id && isHolders(claim, one.holder))
  );
}

function isSoAlready(command: Command, live: readonly Lease[], { book }: State): boolean {
  const { foldsCase, rules, mounts } = book;
  if (command.kind === "lease.fence")
    return mounts.get(command.data.lease)?.worker !== command.data.worker;
  if (command.kind === "lease.mount") {
    const { lease: id, worker } = command.data;
    const lease = live.find((one) => one.id === id && isSameHolder(one.holder, { worker }));
    const region = lease === undefined ? [] : foldersOf(lease);
    return lease !== undefined && isAlike(mounts.get(id)?.region ?? [], region);
  }
  if (command.kind === "lanes.enact") return isDeepStrictEqual(rules, command.data);
  if (command.kind === "lease.acquire") {
    const { holder, key, lanes, region } = command.data;
    return live.some((lease) => {
      if (!isSameHolder(lease.holder, holder)) return false;
      if (key !== undefined && lease.key !== key) return false;
      if (region === undefined) return isLaneNamed(rules.lanes, lease.lane, lanes ?? []);
      return isAsked(lease, region, { isPartEnough: key !== undefined, foldsCase });
    });
  }
  if (command.kind === "lease.split") {
    const { lease: from, to, region, key } = command.data;
    return live.some(
      (lease) =>
        lease.lender === from &&
        isSameHolder(lease.holder, { worker: to }) &&
        (key === undefined || lease.key === key) &&
        isAsked(lease, region, { isPartEnough: key !== undefined, foldsCase }),
    );
  }
  if (command.kind !== "lease.renew" && command.kind !== "lease.narrow") return false;
  const { lease: id, claim, fence } = command.data;
  const lease = live.find((one) => one.id === id);
  if (lease === undefined || !isHolders(claim, lease.holder)) return false;
  if (fence !== undefined && fence !== lease.fence) return false;
  if (command.kind === "lease.renew") return true;
  return isAsked(lease, command.data.region, { isPartEnough: false, foldsCase });
}

function isLaneNamed(
  lanes: State["book"]["rules"]["lanes"],
  name: string | null,
  asked: readonly string[],
): boolean {
  const lane = lanes.find((one) => one.name === name);
  return (
    lane !== undefined && [lane.name, ...(lane.aliases ?? [])].some((one) => asked.includes(one))
  );
}

function isAsked(
  lease: Lease,
  region: readonly string[],
  so: { readonly isPartEnough: boolean; readonly foldsCase: boolean },
): boolean {
  const { foldsCase } = so;
  const asked = { patterns: onGroundOf(lease.worktree, region), foldsCase };
  const held = { patterns: lease.region, foldsCase };
  return so.isPartEnough ? isWithin(asked, held) : isSameGround(asked, held);
}
