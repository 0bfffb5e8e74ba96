import { expect, test } from "vitest";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import { makeGate, openRoomy } from "./rig.ts";

/** A fleet with one worker that is a process, as two handles see it; the first has started it. */
async function openPair(so: { readonly steward: boolean }) {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const starter = await openRoomy({ store, steward: so.steward });
  const slow = { beforeThaw: async (): Promise<void> => undefined };
  store.sandbox = slowedDown(driver, slow);
  store.isDeaf = true;
  const other = await openRoomy({ store, steward: false });
  store.sandbox = driver;
  store.isDeaf = false;
  const { id } = await starter.start({ name: "held", run: ["x"] });
  await other.look();
  return { driver, store, starter, other, slow, id };
}

/** The same driver as another process has it, in which a thaw can be held up. */
function slowedDown(
  driver: FailingSandbox,
  slow: { readonly beforeThaw: () => Promise<void> },
): Sandbox {
  return new Proxy<Sandbox>(driver, {
    get(target, name) {
      const field: unknown = Reflect.get(target, name, target);
      if (typeof field !== "function") return field;
      const method = (field as (...args: unknown[]) => unknown).bind(target);
      if (name !== "thaw") return method;
      return async (id: string) => {
        await slow.beforeThaw();
        return method(id);
      };
    },
  });
}

test("[ST4] a sandbox in quarantine that somebody lets run is frozen again", async () => {
  const { driver, starter, id } = await openPair({ steward: true });
  await starter.quarantine(id, { reason: "odd" });
  expect(driver.frozen).toContain(id);
  // Before it the steward may have thawed what it knew nothing of.
  const before = driver.log.length;
  // As a SIGCONT from outside would.
  driver.frozen.delete(id);
  await expect.poll(() => [...driver.frozen], { timeout: 5_000 }).toContain(id);
  expect(driver.log.slice(before)).not.toContain(`thaw ${id}`);
});

test("[ST4] a thaw that a new quarantine overtakes is undone by whoever thawed", async () => {
  const { driver, starter, other, slow, id } = await openPair({ steward: false });
  await starter.quarantine(id, { reason: "odd" });
  const [begun, release] = [makeGate(), makeGate()];
  slow.beforeThaw = () => {
    begun.open();
    return release.passed;
  };
  const lifting = other.unquarantine(id);
  await begun.passed;
  await starter.quarantine(id, { reason: "odd again" });
  release.open();
  await lifting;
  expect(driver.frozen).toContain(id);
  expect(other.isQuarantined(id)).toBe(true);
  await starter.unquarantine(id);
  expect(driver.frozen).not.toContain(id);
});

test("[ST4] whoever has lifted a quarantine looks for a new one before the thaw", async () => {
  const { driver, starter, other, id } = await openPair({ steward: false });
  await starter.quarantine(id, { reason: "odd" });
  const [begun, release] = [makeGate(), makeGate()];
  driver.onList = () => {
    driver.onList = async () => undefined;
    begun.open();
    return release.passed;
  };
  const lifting = other.unquarantine(id);
  await begun.passed;
  await starter.quarantine(id, { reason: "odd again" });
  driver.log.length = 0;
  release.open();
  await lifting;
  expect(driver.log).not.toContain(`thaw ${id}`);
  expect(driver.frozen).toContain(id);
});

test("[ST4] handles that freeze and thaw one sandbox come to rest", async () => {
  const { driver, store, starter, other, id } = await openPair({ steward: true });
  const third = await openRoomy({ store });
  for (let round = 0; round < 5; round += 1) {
    await starter.quarantine(id, { reason: "odd" });
    await Promise.all([other.unquarantine(id), third.look()]);
  }
  await expect.poll(() => [...driver.frozen]).toEqual([]);
  await expect
    .poll(async () => {
      const before = driver.log.length;
      await new Promise((resolve) => setImmediate(resolve));
      return driver.log.length - before;
    })
    .toBe(0);
  expect(driver.frozen).not.toContain(id);
});

test("[ST3] one that was left frozen when its quarantine was lifted is thawed", async () => {
  const { driver, store, id } = await openPair({ steward: false });
  // Whoever lifted the quarantine died before the thaw.
  driver.frozen.add(id);
  await openRoomy({ store });
  await expect.poll(() => [...driver.frozen]).toEqual([]);
});
