// The rungs that tests of the process driver run on, and what a host must have for each.
import type { ProcessSandboxOptions } from "../../src/sandbox/process/process-sandbox.ts";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { probeRungs } from "../../src/sandbox/process/rung/probe.ts";
import { needs } from "../support/require-all.ts";

/** A way to contain workers, by the options that force it. */
export interface Case {
  readonly name: string;
  readonly options: Pick<ProcessSandboxOptions, "rung" | "usesCgroups">;
}

/** The upper rungs, with control groups and without: there a kill is seen to have worked. */
export const ENCLOSED: readonly Case[] = [
  { name: "cgroup", options: { rung: "cgroup" } },
  { name: "cgroup, without control groups", options: { rung: "cgroup", usesCgroups: false } },
  { name: "pid-namespace", options: { rung: "pid-namespace", usesCgroups: false } },
];

/** All of them. */
export const CASES: readonly Case[] = [
  ...ENCLOSED,
  { name: "process-group", options: { rung: "process-group" } },
];

/** Skips the running test loudly where a rung does not work. */
export async function needsRung({ options: { rung, usesCgroups = true } }: Case): Promise<void> {
  const probed = (await probeRungs()).find((one) => one.rung === rung);
  needs(probed?.works === true, `the rung "${rung}": ${probed?.why}`);
  if (rung !== "cgroup" || !usesCgroups) return;
  needs((await findCgroups("test-needs")) !== undefined, "no control group can be made here");
}
