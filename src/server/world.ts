import type { Member } from "../library/member.ts";
import type { Fleet } from "../library/fleet/fleet.ts";
import type { Log } from "../ports/log.ts";
import type { BusLink } from "./bus-link.ts";

/** What the server answers from: a fleet that is open, and the way to its supervisor. */
export interface ServerWorld {
  readonly fleet: Fleet;
  readonly member: Member;
  readonly bus: BusLink;
  readonly log: Log;
  /** The version of Stint that runs. */
  readonly version: string;
}
