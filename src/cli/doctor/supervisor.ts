import { connectSupervisor } from "../../client/supervisor.ts";
import { Fault } from "../../ports/fault.ts";
import type { SupervisorStatus } from "../../ports/supervision.ts";

/** How a fleet's supervisor is found: there is none, it says how it is, or it is there and mute. */
export type SupervisorSight =
  | { readonly kind: "none" }
  | { readonly kind: "serves"; readonly status: SupervisorStatus }
  | { readonly kind: "mute"; readonly why: string };

/** Looks at the supervisor of a fleet on this host; nothing is changed by it. */
export async function lookAtSupervisor(stateDir: string): Promise<SupervisorSight> {
  const supervision = await connectSupervisor({ stateDir });
  if (supervision === undefined) return { kind: "none" };
  try {
    return { kind: "serves", status: await supervision.status() };
  } catch (error) {
    // It ended between the two questions, hangs, or is too sick to answer.
    if (error instanceof Fault) return { kind: "mute", why: error.message };
    throw error;
  } finally {
    await supervision.close();
  }
}
