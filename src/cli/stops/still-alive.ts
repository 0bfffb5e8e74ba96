import type { Fleet } from "../../library/fleet/fleet.ts";
import { unlessAborted } from "../../library/waiting.ts";
import type { Call } from "../call.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";

/** How often it is looked who is still alive, ms. */
const lookEveryMs = 500;

/** How many are named in a line. */
const namedMax = 4;

/**
 * Tells a person who waits for ends who is still alive, a line whenever that has changed, until
 * the answered function is called. Tells nobody under `--json`.
 */
export function tellStillAlive(
  call: Call,
  fleet: Pick<Fleet, "workers">,
  ids: readonly string[],
): () => void {
  if (call.isJson) return () => undefined;
  const awaited = new Set(ids);
  let before = "";
  const timer = setInterval(() => {
    const alive = fleet
      .workers()
      .filter(({ id, status }) => awaited.has(id) && status !== "stopped");
    const now = alive.map(({ id }) => id).join(" ");
    if (now === before || alive.length === 0) return;
    before = now;
    const named = alive.slice(0, namedMax).map(({ id, name }) => `${id} (${plainText(name)})`);
    const more = alive.length > namedMax ? `, and ${alive.length - namedMax} more` : "";
    call.note(`${countText(alive.length, "worker")} still alive: ${named.join(", ")}${more}`);
  }, lookEveryMs);
  return () => clearInterval(timer);
}

/** Resolves as the work does, or rejects when whoever waits insists on leaving (second Ctrl-C). */
export async function orUntilForced<T>(call: Call, work: Promise<T>): Promise<T> {
  const say = (): void => call.note("the stop is ordered and goes on; again to leave it to itself");
  call.signal.addEventListener("abort", say, { once: true });
  try {
    return await unlessAborted(work, call.force);
  } finally {
    call.signal.removeEventListener("abort", say);
  }
}
