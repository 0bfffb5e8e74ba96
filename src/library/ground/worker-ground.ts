import type { Actor } from "../../kernel/actor.ts";
import { demandOpen } from "../closed.ts";
import { checkPaths } from "../lease/checking.ts";
import { lineHere } from "../lease/here.ts";
import { listLiveOf } from "../lease/history.ts";
import { leaseHolder, type LeaseHolder } from "../lease/own.ts";
import { readOwnCheck, verdictsIn } from "../lease/path-verdict.ts";
import type { LeaseView } from "../lease/view.ts";
import type { Seat } from "../seat.ts";

/** The verbs about leases of a worker that this process started or is. */
export function ownLeases(
  seat: Seat,
  { id, by }: { readonly id: string; readonly by: Actor },
): LeaseHolder {
  const list = async (): Promise<readonly LeaseView[]> => {
    demandOpen(seat);
    await seat.loop.look();
    return listLiveOf(seat, id);
  };
  const check: LeaseHolder["check"] = async (paths, options) => {
    demandOpen(seat);
    const order = readOwnCheck(paths, options);
    return verdictsIn(await checkPaths(seat, order, { holder: { worker: id } }));
  };
  return leaseHolder(lineHere(seat, { by, worker: id }), id, { leases: list, check });
}
