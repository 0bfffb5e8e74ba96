import type { ProcessIdentity } from "../kernel/command.ts";
import type { OpenStore } from "../library/fleet/store.ts";
import type { Surroundings } from "../library/seat.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { RuntimePlaces, StatePlaces } from "../system/places.ts";

/** What a supervisor needs of the world: it knows no adapter itself. */
export interface SupervisorWorld extends Surroundings {
  readonly state: StatePlaces;
  readonly runtime: RuntimePlaces;
  /** Where this user's supervisors claim their fleets, by id, wherever a state folder lies. */
  readonly claims: string;
  /** The version of Stint that runs. */
  readonly version: string;
  /** Opens the fleet's store, which must be there. */
  openStore(): Promise<OpenStore>;
  /** Opens the driver that its processes run in. Throws `Fault` `sandbox_unavailable`. */
  openDriver(fleet: string): Promise<Sandbox>;
  /** A process of this host by its pid, as others find it again; undefined when it is over. */
  readonly identify: (pid: number) => ProcessIdentity | undefined;
  /** Drops old output of workers that are not among the live ones. */
  retainOutput(live: ReadonlySet<string>): Promise<void>;
}
