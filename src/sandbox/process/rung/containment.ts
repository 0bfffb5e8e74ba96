import { DEGRADATIONS, type Degradation } from "../../../kernel/fleet/contract.ts";
import { Fault } from "../../../ports/fault.ts";
import type { CgroupTree } from "../../cgroup/cgroup.ts";
import { findCgroups } from "../../cgroup/find.ts";
import { type ProbedRung, probeRungs, type RungName } from "./probe.ts";
import { canEnter } from "../ground/entry.ts";
import { bubblewrap } from "./bubblewrap.ts";
import { utilLinux } from "./unshare.ts";
import type { Wrap } from "./view.ts";

/** How a driver contains what it starts. */
export interface Containment {
  readonly rung: RungName;
  /** The rung in words. */
  readonly words: string;
  /** What it cannot hold on this host. */
  readonly degraded: readonly Degradation[];
  /** Sets the namespaces up; undefined on the lowest rung. */
  readonly wrap: Wrap | undefined;
  /** The fleet's control groups, where there are any and the rung uses them. */
  readonly cgroups: CgroupTree | undefined;
}

/** What a driver wants to be contained by. */
export interface Wanted {
  readonly rung: RungName | "best";
  readonly fleet: string;
  /** Whether control groups are used where they are found. */
  readonly usesCgroups: boolean;
}

/** The lowest rung, as it is on every host. */
const PROCESS_GROUP: Containment = {
  rung: "process-group",
  words: "process group, swept",
  degraded: DEGRADATIONS,
  wrap: undefined,
  cgroups: undefined,
};

/**
 * Chooses a rung: the one that is wanted, or the best that works here.
 * Throws `Fault` `sandbox_unavailable` when the one that is wanted does not.
 */
export async function contain({ rung, fleet, usesCgroups }: Wanted): Promise<Containment> {
  if (rung === "process-group") return PROCESS_GROUP;
  const probed = await probeRungs();
  const chosen = probed.find((one) => one.works && (rung === "best" || one.rung === rung));
  if (chosen === undefined) throw unavailable(rung, probed);
  if (chosen.rung === "process-group") return PROCESS_GROUP;
  const cgroups = usesCgroups ? await findCgroups(fleet) : undefined;
  const wrap = chosen.rung === "cgroup" ? bubblewrap(chosen) : utilLinux();
  const network: readonly Degradation[] = chosen.hasNetworks ? [] : ["network"];
  // A worker that can make a namespace of its own keeps what is mounted in it.
  const hasMounts = chosen.rung === "cgroup" && chosen.isClosed && canEnter();
  const leases: readonly Degradation[] = hasMounts ? [] : ["leases"];
  const degraded = [...unheld(chosen.isClosed ? cgroups : undefined), ...network, ...leases];
  return { rung: chosen.rung, words: wordsFor(chosen.rung, cgroups), degraded, wrap, cgroups };
}

/** Limits that a worker can lift itself, by a user namespace, bind nobody. */
function unheld(cgroups: CgroupTree | undefined): readonly Degradation[] {
  const limits = ["memory", "cpu", "processes"] as const;
  return limits.filter((what) => cgroups?.can[what] !== true);
}

function wordsFor(rung: RungName, cgroups: CgroupTree | undefined): string {
  const tool = rung === "cgroup" ? "bubblewrap" : "unshare";
  const namespaces = `PID and mount namespaces by ${tool}`;
  return cgroups === undefined
    ? `${namespaces}, without a control group`
    : `control group, ${namespaces}`;
}

function unavailable(rung: string, probed: readonly ProbedRung[]): Fault {
  const { why = "it does not work here", remedy } =
    probed.find((one) => one.rung === rung) ?? probed[0] ?? {};
  const advice = remedy === undefined ? "" : `; ${remedy}`;
  const message = `the rung "${rung}" must work here, got: ${why}${advice}`;
  return new Fault("sandbox_unavailable", message);
}
