import type { ServiceKeeper, ServiceSight, ServiceTold } from "../ports/service.ts";
import { reasonOf, runProgram } from "./program.ts";

/** How long a look at a unit may take, ms. */
const lookMs = 10_000;

/** How long systemd may take to start or stop a unit, ms: its own default is 90 s. */
const jobMs = 120_000;

/** The unit of a service. */
export interface SystemdKeeperOptions {
  /** Its name with its kind, as `api.service`. */
  readonly unit: string;
  /** The program that is asked; `systemctl` by default. */
  readonly systemctl?: string;
}

/**
 * Keeps a service that is a systemd unit of the host. No option before `--` can be made of a unit's
 * name, and no password is asked for.
 */
export function systemdKeeper({
  unit,
  systemctl = "systemctl",
}: SystemdKeeperOptions): ServiceKeeper {
  const ask = (args: readonly string[], deadlineMs: number, signal?: AbortSignal) =>
    runProgram([systemctl, "--no-ask-password", ...args, "--", unit], {
      cwd: "/",
      deadlineMs,
      ...(signal === undefined ? {} : { signal }),
    });
  const look = async (): Promise<ServiceSight> => {
    const ended = await ask(["show", "--property=LoadState,ActiveState"], lookMs);
    if (ended.kind === "not_found") return { kind: "not_installed", detail: reasonOf(ended) };
    // Where systemd does not run, nothing can be said of its units.
    if (ended.kind !== "exited" || ended.code !== 0) return { kind: "unknown" };
    const said = propertiesIn(ended.out);
    const load = said.get("LoadState") ?? "";
    if (load === "not-found" || load === "masked")
      return { kind: "not_installed", detail: `unit ${unit} is ${load}` };
    const active = said.get("ActiveState") ?? "";
    if (RUNNING.includes(active)) return { kind: "running" };
    return { kind: NOT_RUNNING.includes(active) ? "not_running" : "unknown" };
  };
  const tell = async (verb: "start" | "stop", signal?: AbortSignal): Promise<ServiceTold> => {
    const ended = await ask([verb], jobMs, signal);
    if (ended.kind === "exited" && ended.code === 0) return { ok: true };
    const isMissing =
      ended.kind === "not_found" || (ended.kind === "exited" && ended.code === NOT_INSTALLED);
    return { ok: false, kind: isMissing ? "not_installed" : "failed", detail: reasonOf(ended) };
  };
  return { look, start: (signal) => tell("start", signal), stop: (signal) => tell("stop", signal) };
}

/** States of systemd(1) in which a unit's processes are wanted, or not. */
const RUNNING: readonly string[] = ["active", "reloading", "refreshing"];
const NOT_RUNNING: readonly string[] = ["inactive", "failed"];

/** The exit of `systemctl` for a unit that is not there (LSB: program is not installed). */
const NOT_INSTALLED = 5;

function propertiesIn(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").map((line) => line.split("=", 2));
  return new Map(
    lines.flatMap(([name, value]) => (value === undefined ? [] : [[name ?? "", value]])),
  );
}
