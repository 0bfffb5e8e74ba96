import { LIMITS } from "../../kernel/limits.ts";
import { isProof } from "../../kernel/worker/evidence.ts";
import type { Permit } from "../../ports/permit.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import type { Signer } from "../../ports/signer.ts";
import { errorText } from "../error-text.ts";
import type { Seat } from "../seat.ts";
import { showReceipt, signReceipt, type Receipt } from "./receipt.ts";
import { Sweep } from "./sweep.ts";

/** A fleet as far as it is known without its journal. */
export interface UnopenedFleet {
  readonly fleet: string;
  readonly permit: Pick<Permit, "revoke">;
  /** The driver of its sandboxes on this host, or why there is none. */
  readonly driver: Sandbox | Error;
  /** Absent when the secret cannot be read: then the receipt is not signed. */
  readonly signer: Signer | undefined;
}

/**
 * Kills a fleet whose journal cannot be opened, by what else there is: its permit is taken away, so
 * that nothing starts any more, and every sandbox that the driver has on record is ended. Whoever
 * can open the journal next journals the kill.
 *
 * Never throws. The receipt is not proven: nobody can say who else was of the fleet.
 */
export async function killUnjournaled(
  { clock, timers }: Pick<Seat, "clock" | "timers">,
  target: UnopenedFleet,
  order: { readonly reason: string; readonly why: string },
): Promise<Receipt> {
  const { fleet, driver, signer } = target;
  const startedMs = clock.monotonicMs();
  const troubles = [`the kill is not in the journal yet: ${order.why}`];
  const revoking = target.permit.revoke(fleet).catch((error: unknown) => {
    troubles.push(`the permit could not be taken away: ${errorText(error)}`);
  });
  const sweep = new Sweep({ clock, timers, sandboxes: endable(driver) });
  // What the first sweep misses may start as long as there is a permit; the second has none.
  await Promise.all([revoking, sweep.run()]);
  await sweep.run();
  if (driver instanceof Error)
    troubles.push(`the sandboxes could not be looked for: ${errorText(driver)}`);
  const ended = [...sweep.endings].map(([id, { evidence }]) => {
    const { grade } = evidence;
    return { id, name: id, grade, proven: isProof(grade) };
  });
  const left = [...sweep.survivors].map((id) => ({ id, name: id, grade: null, proven: false }));
  const receipt = signReceipt(signer, {
    order: "kill",
    fleet,
    seq: null,
    reason: order.reason,
    durationMs: clock.monotonicMs() - startedMs,
    workers: [...ended, ...left],
    troubles: [...troubles, ...sweep.troubles],
  });
  return showReceipt(receipt);
}

/** A driver as a sweep uses it: ended at once, within the time that a sweep has. */
function endable(driver: Sandbox | Error): ConstructorParameters<typeof Sweep>[0]["sandboxes"] {
  if (driver instanceof Error) return undefined;
  const deadlineMs = LIMITS.killSweepMs;
  return {
    list: () => driver.list(),
    end: (id, options) => driver.stop(id, { ...options, deadlineMs }),
    // Each is ended by itself as well, and told of by name where it is not.
    strike: (by) => driver.strike(by).catch(() => undefined),
  };
}
