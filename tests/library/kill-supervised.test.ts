import { openFleet, sqlite, type Fleet, type Store } from "stint";
import { expect, onTestFinished, test } from "vitest";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { LENIENT, type Rung, supervised, tell } from "../client/rig.ts";
import { makeFolder } from "./rig.ts";

/** A store as ever, which writes down the sandboxes that this process ends by itself. */
function watchedStore(dir: string): {
  readonly store: Store;
  readonly ended: string[];
  readonly onRevoke: (listener: () => void) => void;
} {
  const inner = sqlite({ dir });
  const ended: string[] = [];
  let listener: () => void = () => undefined;
  const watch = (driver: Sandbox): Sandbox =>
    new Proxy(driver, {
      get(target, name) {
        const field: unknown = Reflect.get(target, name, target);
        if (typeof field !== "function") return field;
        // The driver's methods reach for private fields of the driver itself.
        const method = (field as (...given: readonly unknown[]) => unknown).bind(target);
        if (name !== "stop") return method;
        return (...given: readonly unknown[]) => {
          ended.push(String(given[0]));
          return method(...given);
        };
      },
    });
  const store: Store = {
    kind: "sqlite",
    open: async (options) => {
      const opened = await inner.open(options);
      const open = opened.openSandbox?.bind(opened);
      if (open === undefined) return opened;
      const revoke = async (fleetId: string): Promise<void> => {
        listener();
        await opened.permit.revoke(fleetId);
      };
      const permit = { ...opened.permit, revoke };
      return { ...opened, permit, openSandbox: async (...so) => watch(await open(...so)) };
    },
  };
  return { store, ended, onRevoke: (told) => void (listener = told) };
}

async function withSleepers(
  count: number,
  rung?: Rung,
): Promise<{
  readonly fleet: Fleet;
  readonly ended: string[];
  /** What the fleet's status was when its permit was about to be taken away. */
  readonly revoking: string[];
  readonly ids: readonly string[];
  readonly running: Awaited<ReturnType<typeof supervised>>;
}> {
  const dir = makeFolder();
  const { store, ended, onRevoke } = watchedStore(dir);
  const fleet = await openFleet({ store, contract: LENIENT });
  onTestFinished(() => fleet.close());
  const revoking: string[] = [];
  onRevoke(() => void revoking.push(fleet.status));
  const running = await supervised(dir, rung);
  const started = Array.from({ length: count }, () => fleet.start({ run: ["/bin/sleep", "600"] }));
  const ids = (await Promise.all(started)).map(({ id }) => id);
  return { fleet, ended, revoking, ids, running };
}

// The kill loses patience after a second without an end: so it may on a starved machine.
const onceInThree = { retry: 2 };

test("[KL12] what a supervisor ends itself is not ended here, too", onceInThree, async () => {
  const { fleet, ended, ids } = await withSleepers(4);
  const receipt = await fleet.kill({ reason: "drill" });
  expect(receipt).toMatchObject({ stoppedCount: ids.length, survivorCount: 0 });
  expect(ended).toEqual([]);
});

test("[KL14] a supervisor that answers is told by the entry first", onceInThree, async () => {
  const { fleet, revoking } = await withSleepers(1);
  await fleet.kill({ reason: "drill" });
  expect(revoking[0]).toBe("killed");
});

test("[RU19] who was killed by another than his supervisor is said to have been", async () => {
  const { fleet, ids, running } = await withSleepers(2, "cgroup");
  tell(running.row, "SIGSTOP");
  // It answers again when all were killed by the one who ordered it, who leaves the rest to it.
  setTimeout(() => tell(running.row, "SIGCONT"), 700);
  expect(await fleet.kill({ reason: "drill" })).toMatchObject({ stoppedCount: ids.length });
  const outcomes: unknown[] = [];
  for await (const { kind, data } of fleet.entries())
    if (kind === "worker.stopped") outcomes.push(data["outcome"]);
  expect(outcomes).toHaveLength(ids.length);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ killedBy: "killed" });
});

test("[KL12] what a supervisor that hangs does not end is ended here", async () => {
  const { fleet, ended, ids, running } = await withSleepers(2);
  tell(running.row, "SIGSTOP");
  const receipt = await fleet.kill({ reason: "drill" });
  expect(new Set(ended)).toEqual(new Set(ids));
  expect(receipt).toMatchObject({ stoppedCount: ids.length, survivorCount: 0 });
  tell(running.row, "SIGCONT");
});
