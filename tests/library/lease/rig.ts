// What tests of leases in the library stand on.

import type { Fleet, FleetOptions, LeaseHandle } from "stint";
import { Refused } from "stint";
import { openRoomy, rejectionOf } from "../rig.ts";

/** An hour: no lease of it ends within a test. */
export const LONG_MS = 3_600_000;

/** The shortest lease, ms. */
export const SHORT_MS = 1_000;

/** A fleet with two lanes, one of them with slots. */
export async function openWithLanes(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = await openRoomy(options);
  await fleet.enactGround({
    lanes: [
      { name: "api", region: "src/api/**", aliases: ["backend"] },
      { name: "ports", region: ["port:8000", "port:8001"], slots: 2 },
    ],
  });
  return fleet;
}

/** The refusal that a promise rejects with; anything else fails the test. */
export async function refusedBy(promise: Promise<unknown>): Promise<Refused> {
  const error = await rejectionOf(promise);
  if (error instanceof Refused) return error;
  throw error;
}

/** The token of a lease of an outside party. */
export function tokenOf({ token }: Pick<LeaseHandle, "token">): string {
  if (token === null) throw new Error("a lease of an outside party must have a token");
  return token;
}

/** The entry that made a lease. */
export function seqOf({ id }: Pick<LeaseHandle, "id">): number {
  return Number(id.slice(2));
}
