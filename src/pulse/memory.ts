import { ok } from "../kernel/assert.ts";
import type { Clock } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";
import type { InstancePulse, PulseReading, PulseRow, ServicePulse } from "../ports/pulse.ts";
import type { Random } from "../ports/random.ts";
import { isProgress, newGeneration } from "./generation.ts";

/** A pulse store in this process's memory; gone with it, and a new generation each time. */
export function memoryPulse(options: {
  readonly clock: Clock;
  readonly random: Random;
}): ServicePulse {
  const generation = newGeneration(options.random);
  const rows = new Map<string, PulseRow>();
  const instances = new Map<string, InstancePulse>();
  let isClosed = false;

  const demandOpen = (): void => {
    if (isClosed) throw new Fault("closed", "the pulse store must be open, it was closed");
  };

  return {
    async beat(worker, progress): Promise<void> {
      demandOpen();
      ok(isProgress(progress), "progress must be a safe integer from 0 on");
      const before = rows.get(worker);
      const last = progress ?? before?.progress;
      rows.set(worker, {
        worker,
        count: (before?.count ?? 0) + 1,
        receivedAtMs: options.clock.read().wallMs,
        ...(last === undefined ? {} : { progress: last }),
      });
    },
    async read(): Promise<PulseReading> {
      demandOpen();
      return { generation, rows: [...rows.values()] };
    },
    async forget(worker): Promise<void> {
      demandOpen();
      rows.delete(worker);
    },
    async keepInstances(kept): Promise<void> {
      demandOpen();
      for (const row of kept) instances.set(`${row.name}/${row.instance}`, row);
    },
    async readInstances(): Promise<readonly InstancePulse[]> {
      demandOpen();
      return [...instances.values()];
    },
    async forgetInstances(forgotten): Promise<void> {
      demandOpen();
      for (const { name, instance } of forgotten) instances.delete(`${name}/${instance}`);
    },
    async close(): Promise<void> {
      isClosed = true;
      rows.clear();
      instances.clear();
    },
  };
}
