import type { Command } from "../../kernel/command.ts";
import { currentFolder, placed } from "../ground/placing.ts";
import { checkPaths } from "../lease/checking.ts";
import { withEnd } from "../lease/history.ts";
import type { LeaseOrder } from "../lease/line.ts";
import { sightAfter } from "../lease/sighting.ts";
import type { Seat } from "../seat.ts";
import { findWho } from "../worker/reference.ts";
import type { Direct } from "./desk.ts";

/** What of a seat it takes to answer at a desk. */
export interface DirectSeat extends Pick<
  Seat,
  "fleet" | "loop" | "owner" | "timers" | "lookAtGround"
> {
  /** Submits to the loop. */
  readonly submit: Seat["loop"]["submit"];
  readonly store: Pick<Seat["store"], "journal" | "permit" | "address">;
  readonly host: Pick<Seat["host"], "id" | "uid" | "user">;
}

/** The journal as a desk uses it, on an open loop, which stays its caller's. */
export function directOn(seat: DirectSeat): Direct {
  const { fleet, loop, owner } = seat;
  return {
    fleet,
    carry: async (id, asked, turn = {}) => {
      const command = placed(seat, asked, { cwd: currentFolder() });
      const answer = await seat.submit(command, owner, { ...turn, id });
      if (!answer.ok || !isAboutLease(command)) return { answer };
      // Of that very kind.
      const order = command as LeaseOrder;
      return { answer, lease: (await sightAfter(seat, order, answer.entries))?.lease };
    },
    tellEnd: (refusal) => withEnd(seat.store, refusal),
    holderOf: async (lease) => (await loop.look()).book.leases.get(lease)?.holder,
    findWho: (text, path) => findWho(seat, text, path),
    check: (order, holder) => checkPaths(seat, order, { holder, root: undefined }),
  };
}

function isAboutLease({ kind }: Command): boolean {
  return kind.startsWith("lease.") || kind === "place.keep";
}
