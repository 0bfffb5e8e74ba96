import type { Command, CommandMap } from "../../kernel/command.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Timers } from "../../runtime/timers.ts";
import { claimOf } from "../ground/shown-token.ts";
import { askInLine, type Answered, type Keeper, type Step, type Turn } from "./in-line.ts";

/** Where commands are given one at a time. */
export interface Carrying<S extends Step> {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Has a command carried, under a fresh id. */
  carry(command: Command, so: Turn & { readonly token?: string | undefined }): Promise<S>;
  /** The id of the lease that an answer says it has left. */
  readonly leaseIn: (step: S) => string | undefined;
}

/** Gives a command; a request for a lease that others have waits where it says so. */
export async function carryInLine<S extends Step>(
  command: Command,
  so: Carrying<S> & {
    /** The token of whom it makes a holder. */
    readonly token: string | null;
    readonly signal?: AbortSignal | undefined;
    readonly onPlace?: ((place: string) => void) | undefined;
  },
): Promise<Pick<Answered<S>, "step" | "place">> {
  if (command.kind !== "lease.acquire" || command.data.wait_ms === undefined)
    return { step: await so.carry(command, {}) };
  const { wait_ms: waitMs, ...data } = command.data;
  const claim = claimOf(data.holder, so.token);
  const shown = so.token === null ? {} : { token: so.token };
  const ask = (leftMs: number | undefined, turn: Turn): Promise<S> => {
    const waiting: CommandMap["lease.acquire"] =
      leftMs === undefined ? data : { ...data, wait_ms: leftMs };
    return so.carry({ kind: "lease.acquire", data: waiting }, turn);
  };
  const keeper: Keeper<S> = {
    keep: (place, turnMs) =>
      so.carry({ kind: "place.keep", data: { place, claim } }, { turnMs, ...shown }),
    leave: (place) => so.carry({ kind: "place.leave", data: { place, claim } }, shown),
    giveBack: async (step) => {
      const lease = so.leaseIn(step);
      if (lease !== undefined)
        await so.carry({ kind: "lease.release", data: { lease, claim } }, shown);
    },
    hasLease: (step) => so.leaseIn(step) !== undefined,
  };
  const { clock, timers, signal, onPlace } = so;
  const wait = { waitMs, ttlMs: data.ttl_ms, clock, timers, signal, onPlace };
  return askInLine(ask, keeper, wait);
}
