import { GRADES } from "../kernel/worker/evidence.ts";
import type { Ending, Sandbox, SandboxSpec } from "../ports/sandbox.ts";
import type { Expect } from "./pulse-contract.ts";
import { faultOf } from "./fault-of.ts";

/** A driver under test, and programs that it can run. */
export interface SandboxSubject {
  readonly sandbox: Sandbox;
  /** Runs until it is stopped. */
  readonly endless: SandboxSpec["run"];
  /** Runs and exits by itself with a code, 0 to 255. */
  readonly exiting: (code: number) => SandboxSpec["run"];
  /** Writes a text to both of its streams and exits by itself. */
  readonly writing: (text: string) => SandboxSpec["run"];
  /** What the output sink of a sandbox was given; undefined for a driver that has none. */
  readonly writtenBy?: (instance: string) => {
    readonly stdout: string;
    readonly stderr: string;
    readonly isClosed: boolean;
  };
}

/** One fact that every driver owes; its name quotes the rule of SPEC.md. */
export interface SandboxCase {
  readonly name: string;
  /** Rejects when the fact does not hold. `open` makes a driver without any sandbox. */
  readonly run: (open: () => Promise<SandboxSubject>, expect: Expect) => Promise<void>;
}

const now = { graceMs: 0, deadlineMs: 10_000, by: "contract" };

/**
 * The contract of the port `Sandbox`: run each case as a test of its own.
 * Cases stop what they start; the caller closes the driver.
 */
export const SANDBOX_CONTRACT: readonly SandboxCase[] = [
  {
    name: "[SB1] a started worker is alive and listed until it is stopped",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      expect(await sandbox.list()).toEqual([]);
      const record = await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect({ ...record, pid: 0 }).toEqual({ instance: "w-a", pid: 0, seen: "alive" });
      expect(await sandbox.list()).toEqual([record]);
      await sandbox.stop("w-a", now);
      expect(await seenIn(sandbox)).toEqual({ "w-a": "gone" });
    },
  },
  {
    name: "[SB2] a second start of an instance answers the first and starts nothing",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      const first = await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect(await sandbox.start({ instance: "w-a", run: endless, files: {} })).toEqual(first);
      await sandbox.stop("w-a", now);
      const third = await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect(third.seen).toBe("gone");
    },
  },
  {
    name: "[SB3] a stop answers evidence of a known grade and who ended it",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      const ending = await sandbox.stop("w-a", now);
      expect(ending?.instance).toBe("w-a");
      expect(GRADES.some((grade) => grade === ending?.evidence.grade)).toBe(true);
      expect(ending?.outcome.killed_by).toBe("contract");
    },
  },
  {
    name: "[SB4] a stop repeated by another answers the outcome of the first",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      const first = await sandbox.stop("w-a", now);
      const second = await sandbox.stop("w-a", { ...now, by: "another" });
      expect(second?.outcome).toEqual(first?.outcome);
    },
  },
  {
    name: "[SB5] what was never started counts as ended, and can never be started after",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      const ending: Ending | undefined = await sandbox.stop("w-a", now);
      expect(ending?.outcome).toEqual({});
      const record = await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect(record.seen).toBe("gone");
    },
  },
  {
    name: "[SB6] a worker that exits by itself is told to its starter, with its exit code",
    run: async (open, expect) => {
      const { sandbox, exiting } = await open();
      const exited: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      sandbox.onExit((instance) => {
        exited.push(instance);
        resolve();
      });
      await sandbox.start({ instance: "w-a", run: exiting(3), files: {} });
      await promise;
      expect(exited).toEqual(["w-a"]);
      const ending = await sandbox.stop("w-a", now);
      expect(ending?.outcome.exit_code).toBe(3);
      expect(ending?.outcome.killed_by).toBe(undefined);
    },
  },
  {
    name: "[SB7] a frozen worker is alive, can be thawed, and can be stopped",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      await sandbox.freeze("w-a");
      await sandbox.freeze("w-a");
      expect(await seenIn(sandbox)).toEqual({ "w-a": "alive" });
      await sandbox.thaw("w-a");
      await sandbox.freeze("w-a");
      const ending = await sandbox.stop("w-a", { ...now, graceMs: 60_000 });
      expect(ending?.outcome.killed_by).toBe("contract");
      expect(await seenIn(sandbox)).toEqual({ "w-a": "gone" });
    },
  },
  {
    name: "[SB8] an ended sandbox is listed until it is forgotten, a living one cannot be",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect(await faultOf(sandbox.forget("w-a"))).toBe("sandbox_failed");
      await sandbox.stop("w-a", now);
      await sandbox.forget("w-a");
      await sandbox.forget("w-a");
      expect(await sandbox.list()).toEqual([]);
    },
  },
  {
    name: "[SB9] a closed driver stops nothing, and answers with the fault `closed`",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.close();
      await sandbox.close();
      const spec = { instance: "w-a", run: endless, files: {} };
      expect(await faultOf(sandbox.start(spec))).toBe("closed");
      expect(await faultOf(sandbox.list())).toBe("closed");
      expect(await faultOf(sandbox.stop("w-a", now))).toBe("closed");
    },
  },
  {
    name: "[SB43] a worker whose time is over is ended, and its outcome says so",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      const exited = new Promise((resolve) => sandbox.onExit(resolve));
      const limits = { wall_ms: 50 };
      await sandbox.start({ instance: "w-a", run: endless, files: {}, limits });
      await exited;
      const ending = await sandbox.stop("w-a", now);
      expect(ending?.outcome.timed_out).toBe(true);
      expect(ending?.outcome.killed_by === undefined).toBe(false);
      expect((await sandbox.stop("w-a", now))?.outcome).toEqual(ending?.outcome);
    },
  },
  {
    name: "[SB44] time that is set anew counts from the start of the worker",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      const exited = new Promise((resolve) => sandbox.onExit(resolve));
      const limits = { wall_ms: 3_600_000 };
      await sandbox.start({ instance: "w-a", run: endless, files: {}, limits });
      expect(await sandbox.limit("w-a", { wall_ms: 1 })).toBe(undefined);
      await exited;
      expect((await sandbox.stop("w-a", now))?.outcome.timed_out).toBe(true);
    },
  },
  {
    name: "[SB55] what there is in a frozen sandbox is told, and nothing of one that has ended",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      await sandbox.freeze("w-a");
      const seen = await sandbox.examine("w-a");
      expect(seen?.process_count).toBe(seen?.processes.length);
      expect((seen?.process_count ?? 0) > 0).toBe(true);
      expect((seen?.open_file_count ?? 0) > 0).toBe(true);
      expect((seen?.memory_bytes ?? 0) > 0).toBe(true);
      // To be looked at changes nothing.
      expect((await sandbox.examine("w-a"))?.process_count).toBe(seen?.process_count);
      await sandbox.stop("w-a", now);
      expect(await sandbox.examine("w-a")).toBe(undefined);
      expect(await sandbox.examine("w-never")).toBe(undefined);
    },
  },
  {
    name: "[SB45] limits that bind are held, and never set below what is used",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      const limits = { memory_bytes: 256 * 2 ** 20, processes: 64 };
      await sandbox.start({ instance: "w-a", run: endless, files: {}, limits });
      const use = await sandbox.use("w-a");
      const over = await sandbox.limit("w-a", { processes: 0 });
      if (sandbox.degraded.includes("processes")) expect(over).toBe(undefined);
      else expect(over?.processes).toBe(use?.processes);
      expect((await sandbox.list()).map(({ seen }) => seen)).toEqual(["alive"]);
      await sandbox.stop("w-a", now);
      expect(await sandbox.use("w-a")).toBe(undefined);
    },
  },
  {
    name: "[LH5] a worker has hit what it came up against, each limit once, and nothing else",
    run: async (open, expect) => {
      const { sandbox, endless } = await open();
      await sandbox.start({ instance: "w-a", run: endless, files: {} });
      expect(await sandbox.hits("w-a")).toEqual([]);
      expect((await sandbox.stop("w-a", now))?.hits ?? []).toEqual([]);
      const exited = new Promise((resolve) => sandbox.onExit(resolve));
      const limits = { wall_ms: 100 };
      await sandbox.start({ instance: "w-b", run: endless, files: {}, limits });
      await exited;
      const [hit, ...others] = (await sandbox.stop("w-b", now))?.hits ?? [];
      expect({ ...hit, use: 0 }).toEqual({ limit: "wall_ms", value: 100, use: 0, count: 1 });
      expect((hit?.use ?? 0) >= 100).toBe(true);
      expect(others).toEqual([]);
    },
  },
  {
    name: "[SB46] what a worker writes is in its sink, whole and closed, when its end is told",
    run: async (open, expect) => {
      const { sandbox, writing, writtenBy } = await open();
      if (writtenBy === undefined) return;
      const text = `${"line after line\n".repeat(20_000)}and the last`;
      const exited = new Promise((resolve) => sandbox.onExit(resolve));
      const run = writing(text.slice(0, 100_000));
      await sandbox.start({ instance: "w-a", run, files: {} });
      await exited;
      await sandbox.stop("w-a", now);
      const written = writtenBy("w-a");
      expect(written.stdout === text.slice(0, 100_000)).toBe(true);
      expect(written.stderr === text.slice(0, 100_000)).toBe(true);
      expect(written.isClosed).toBe(true);
    },
  },
];

async function seenIn(sandbox: Sandbox): Promise<Record<string, string>> {
  const records = await sandbox.list();
  return Object.fromEntries(records.map(({ instance, seen }) => [instance, seen]));
}
