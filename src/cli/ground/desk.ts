import type { Desk } from "../../library/desk/desk.ts";
import type { Call } from "../call.ts";

/**
 * Has a verb work at the desk of whoever calls: the operator's, or a worker's by its socket. It is
 * closed afterwards.
 */
export async function atDesk<T>(call: Call, work: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = await openDesk(call);
  try {
    return await work(desk);
  } finally {
    await desk.close();
  }
}

async function openDesk(call: Call): Promise<Desk> {
  const { workerTokenFile } = call;
  if (workerTokenFile !== undefined) {
    const { openWorkerDesk } = await import("../../compose/worker-desk.ts");
    return openWorkerDesk(workerTokenFile);
  }
  const { stateDir } = await call.place();
  const { openOperatorDesk } = await import("../../compose/leasing.ts");
  return openOperatorDesk(stateDir);
}
