import { Watcher, type Seen } from "../../runtime/watcher.ts";
import { demandOpen } from "../closed.ts";
import type { Member } from "../member.ts";
import { supervisorOf } from "../seat.ts";

/** Makes the watcher of a process: it judges silences, and looks where it can whether they live. */
export function makeWatcher(member: Member): Watcher {
  const { loop, clock, timers, log, store } = member.seat;
  return new Watcher({
    loop,
    clock,
    timers,
    log,
    pulse: store.pulse,
    seen: (id) => see(member, id),
    by: supervisorOf(member.seat),
  });
}

/** Whether a silent worker is seen alive: by being here, by its sandbox, else by its process. */
async function see({ seat, hosting, sandboxes }: Member, id: string): Promise<Seen> {
  if (hosting.get(id)?.kind === "here") return "alive";
  const records = (await sandboxes?.list()) ?? [];
  const record = records.find(({ instance }) => instance === id);
  if (record !== undefined) return record.seen;
  const process = seat.loop.state().workers.get(id)?.process ?? null;
  return process === null ? "unknown" : seat.host.look(process);
}

/** Makes one round of watching and answers the workers that it told to stop for their silence. */
export async function reapStale({ seat }: Member, watcher: Watcher): Promise<readonly string[]> {
  demandOpen(seat);
  const reaped: string[] = [];
  const unsubscribe = seat.loop.onEntry((entry) => {
    if (entry.kind !== "worker.stopping") return;
    const { reason, worker } = entry.data;
    if (reason === "reaped" || reason === "silent") reaped.push(worker);
  });
  try {
    await watcher.check();
  } finally {
    unsubscribe();
  }
  return Object.freeze(reaped);
}
