import { resolveNow } from "../../library/worker/reference.ts";
import type { Seat } from "../../library/seat.ts";

/**
 * The id of the worker that a text means. Where a request comes again under its key, that is whom
 * it meant the first time, as the journal has it: a name may be another's by now.
 */
export async function resolveOnce(
  seat: Seat,
  reference: string,
  commandId: string | undefined,
): Promise<string> {
  const past = commandId === undefined ? undefined : await seat.store.journal.recall(commandId);
  for (const { kind, data } of past?.entries ?? []) {
    if (kind === "worker.stopping" || kind === "worker.quarantined") return data.worker;
    if (kind === "worker.unquarantined") return data.worker;
    const { worker } = kind === "command.refused" ? data.facts : {};
    if (typeof worker === "string") return worker;
  }
  return resolveNow(seat, reference);
}
