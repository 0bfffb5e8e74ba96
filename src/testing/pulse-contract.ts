import type { InstancePulse, Pulse, ServicePulse } from "../ports/pulse.ts";
import { faultOf } from "./fault-of.ts";

/** What a contract suite needs of an assertion library; the `expect` of vitest and jest fits. */
export type Expect = (actual: unknown) => {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
};

/** A pulse store under test, and the wall clock that it reads, both made for one case. */
export interface PulseSubject {
  readonly pulse: ServicePulse;
  /** Sets the wall clock of the receiver. */
  readonly setWallMs: (wallMs: number) => void;
}

/** One fact that every pulse store owes; its name quotes the rule of SPEC.md. */
export interface PulseCase {
  readonly name: string;
  /** Rejects when the fact does not hold. `open` makes a new, empty store at each call. */
  readonly run: (open: () => Promise<PulseSubject>, expect: Expect) => Promise<void>;
}

/**
 * The contract of the port `Pulse`: run each case as a test of its own.
 * Cases close the stores they open.
 */
export const PULSE_CONTRACT: readonly PulseCase[] = [
  {
    name: "[PU1] a worker that was never heard has no row",
    run: async (open, expect) => {
      const { pulse } = await open();
      expect((await pulse.read()).rows).toEqual([]);
      await pulse.close();
    },
  },
  {
    name: "[PU2] each beat adds one to the count of its worker alone",
    run: async (open, expect) => {
      const { pulse } = await open();
      for (const worker of ["w-a", "w-b", "w-a", "w-a"]) await pulse.beat(worker);
      expect(await countsOf(pulse)).toEqual({ "w-a": 3, "w-b": 1 });
      await pulse.close();
    },
  },
  {
    name: "[PU2] beats given at once are all counted",
    run: async (open, expect) => {
      const { pulse } = await open();
      await Promise.all(Array.from({ length: 100 }, () => pulse.beat("w-a")));
      expect(await countsOf(pulse)).toEqual({ "w-a": 100 });
      await pulse.close();
    },
  },
  {
    name: "[PU3] a beat without progress keeps the progress that was said last",
    run: async (open, expect) => {
      const { pulse } = await open();
      await pulse.beat("w-a");
      expect(await progressOf(pulse)).toEqual([undefined]);
      await pulse.beat("w-a", 7);
      await pulse.beat("w-a");
      expect(await progressOf(pulse)).toEqual([7]);
      await pulse.beat("w-a", 0);
      expect(await progressOf(pulse)).toEqual([0]);
      await pulse.close();
    },
  },
  {
    name: "[PU4] a row carries the wall time at which the receiver heard the last beat",
    run: async (open, expect) => {
      const { pulse, setWallMs } = await open();
      setWallMs(1_000);
      await pulse.beat("w-a");
      setWallMs(400);
      await pulse.beat("w-a");
      const { rows } = await pulse.read();
      expect(rows.map((row) => row.receivedAtMs)).toEqual([400]);
      await pulse.close();
    },
  },
  {
    name: "[PU5] forgetting a worker drops its row alone, and may be repeated",
    run: async (open, expect) => {
      const { pulse } = await open();
      await pulse.beat("w-a");
      await pulse.beat("w-b");
      await pulse.forget("w-a");
      await pulse.forget("w-a");
      expect(await countsOf(pulse)).toEqual({ "w-b": 1 });
      await pulse.close();
    },
  },
  {
    name: "[PU6] a store keeps its generation, and a new store has another",
    run: async (open, expect) => {
      const one = (await open()).pulse;
      const other = (await open()).pulse;
      const before = await one.read();
      await one.beat("w-a");
      await one.forget("w-a");
      expect((await one.read()).generation).toBe(before.generation);
      expect((await other.read()).generation === before.generation).toBe(false);
      await one.close();
      await other.close();
    },
  },
  {
    name: "[PU7] a closed store answers with the fault `closed`, and may be closed again",
    run: async (open, expect) => {
      const { pulse } = await open();
      await pulse.close();
      await pulse.close();
      expect(await faultOf(pulse.beat("w-a"))).toBe("closed");
      expect(await faultOf(pulse.read())).toBe("closed");
      expect(await faultOf(pulse.forget("w-a"))).toBe("closed");
    },
  },
  {
    name: "[PU14] rows of instances are kept as they were handed over, the newest of each",
    run: async (open, expect) => {
      const { pulse } = await open();
      await pulse.beat("w-a");
      await pulse.keepInstances([ONE, { ...ONE, instance: "2", said: "stopping" }]);
      const newer = { ...ONE, count: 9, progress: 4, about: { pid: 7, extra: { depth: [1] } } };
      await pulse.keepInstances([newer]);
      const rows = await pulse.readInstances();
      expect(rows.toSorted((one, other) => one.instance.localeCompare(other.instance))).toEqual([
        newer,
        { ...ONE, instance: "2", said: "stopping" },
      ]);
      expect(await countsOf(pulse)).toEqual({ "w-a": 1 });
      await pulse.close();
    },
  },
  {
    name: "[PU15] forgetting instances drops their rows alone, and may be repeated",
    run: async (open, expect) => {
      const { pulse } = await open();
      await pulse.keepInstances([ONE, { ...ONE, name: "web" }, { ...ONE, instance: "2" }]);
      const gone = [
        { name: "api", instance: "1" },
        { name: "web", instance: "1" },
      ];
      await pulse.forgetInstances(gone);
      await pulse.forgetInstances(gone);
      expect(await pulse.readInstances()).toEqual([{ ...ONE, instance: "2" }]);
      await pulse.close();
      expect(await faultOf(pulse.readInstances())).toBe("closed");
    },
  },
];

const ONE: InstancePulse = {
  name: "api",
  instance: "1",
  count: 3,
  receivedAtMs: 1_000,
  everyMs: 10_000,
  said: "up",
  about: {},
};

async function countsOf(pulse: Pulse): Promise<Record<string, number>> {
  const { rows } = await pulse.read();
  return Object.fromEntries(rows.map((row) => [row.worker, row.count]));
}

async function progressOf(pulse: Pulse): Promise<readonly (number | undefined)[]> {
  return (await pulse.read()).rows.map((row) => row.progress);
}
