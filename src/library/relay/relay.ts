import type { Loop } from "../../runtime/loop.ts";
import { commandIdSeries } from "../../runtime/base32.ts";
import type { Surroundings } from "../seat.ts";
import { SupervisorLink } from "./link.ts";
import { RelayLoop, type Relay } from "./relay-loop.ts";
import type { SupervisorDoor, SupervisorUse } from "./supervisor-door.ts";

/** A loop, and the way to the supervisor that it goes by, where it goes by one. */
export interface Relayed {
  readonly loop: Loop;
  readonly relay: Relay | undefined;
}

/** Puts the supervisor of a store, where it has one, in front of this process's own loop. */
export function relayed(
  { clock, timers, log, random }: Surroundings,
  so: {
    readonly direct: Loop;
    readonly door: SupervisorDoor | undefined;
    readonly use: SupervisorUse;
    readonly hasFunctions: () => boolean;
  },
): Relayed {
  const { direct, door, use, hasFunctions } = so;
  if (door === undefined || use === "none") return { loop: direct, relay: undefined };
  const link = new SupervisorLink({ door, mayStart: use === "start", clock, timers, log });
  const relay: Relay = { link, hasFunctions };
  return { loop: new RelayLoop({ direct, nextId: commandIdSeries(random), ...relay }), relay };
}
