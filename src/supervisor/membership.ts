import { ok } from "../kernel/assert.ts";
import { forLoop } from "../library/fleet/conditions.ts";
import { openLoopOn, openSigner } from "../library/fleet/opening.ts";
import type { Member } from "../library/member.ts";
import { Sandboxes } from "../library/process/sandboxes.ts";
import { Keys, operatorOf, type Seat } from "../library/seat.ts";
import { Hosting } from "../library/worker/hosting.ts";
import { Fault } from "../ports/fault.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { SupervisorWorld } from "./world.ts";

/** What may keep a supervisor out once its fleet is known, before anything is done in it. */
export type Admit = (fleet: string) => void;

/** A supervisor's place in its fleet. */
export interface Membership {
  readonly member: Member & { readonly sandboxes: Sandboxes };
  /** What its sandboxes run in, for what is no worker. */
  readonly driver: Sandbox;
  /** Lets go of the fleet; stops nothing. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Takes a supervisor's place in the fleet of a state folder.
 *
 * Throws `Fault` `journal_missing` where there is no fleet, `secret_missing` where its secret is
 * not kept beside the journal, `sandbox_unavailable` where this host can run no processes, and the
 * faults of the store.
 */
export async function takeMembership(
  world: SupervisorWorld,
  so: { readonly hears: (worker: string) => boolean; readonly admit: Admit },
): Promise<Membership> {
  const store = await world.openStore();
  let secret: string | undefined;
  try {
    secret = store.readSecret?.({ create: false });
    ok(secret !== undefined, "a store in a folder keeps a secret");
  } catch (error) {
    await store.close();
    throw error;
  }
  const signer = openSigner(world, secret);
  const conditions = forLoop({});
  const { loop } = await openLoopOn(world, { store, signer, conditions });
  const closing = new AbortController();
  let sandboxes: Sandboxes | undefined;
  let hosting: Hosting | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    hosting?.close();
    await sandboxes?.close();
    await loop.close();
    await store.close();
  };
  try {
    const { fleet } = await loop.look();
    if (fleet === null)
      throw new Fault("journal_missing", `a fleet must be in ${world.state.dir}, there is none`);
    so.admit(fleet);
    const seat: Seat = {
      ...world,
      fleet,
      loop,
      store,
      keys: new Keys(loop, { signer, secret, isKept: true }),
      // It holds the fleet's secret, and writes a kill down that nobody else could.
      owner: operatorOf(world, "supervisor"),
      closing: closing.signal,
    };
    const driver = await world.openDriver(fleet);
    sandboxes = new Sandboxes(seat, driver, { hears: so.hears });
    hosting = new Hosting(seat);
    return { member: { seat, hosting, sandboxes, whyNoSandboxes: "" }, driver, close };
  } catch (error) {
    await close();
    throw error;
  }
}
