import { connectAsWorker } from "../../client/worker-connection.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import type { WorkerDoor } from "../../ports/worker-door.ts";
import type { Call } from "../call.ts";

/** The live leases of the worker that calls, as documents. */
export function ownLeases(call: Call): Promise<readonly JsonObject[]> {
  return atSocket(call, async (door) => {
    const { manifest } = await door.self();
    const seen = await door.leases(manifest.instance);
    if (seen.ok) return seen.leases;
    throw new Refused(refusedAnswer(seen.refusal).refusal, seen.seq);
  });
}

/** A lease of the worker that calls, or of one below it, the ended ones included. */
export function ownLease(call: Call, id: string): Promise<JsonObject> {
  return atSocket(call, async (door) => {
    const seen = await door.lease(id);
    if (seen.ok) return seen.lease;
    const { refusal } = refusedAnswer(seen.refusal);
    const message = `${refusal.message} (${id}); \`stint lease ls\` shows what it holds`;
    throw new Refused({ ...refusal, message }, seen.seq);
  });
}

async function atSocket<T>(call: Call, ask: (door: WorkerDoor) => Promise<T>): Promise<T> {
  const door = await connectAsWorker(call.workerTokenFile ?? "");
  try {
    return await ask(door);
  } finally {
    await door.close();
  }
}
