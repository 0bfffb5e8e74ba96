import { join } from "node:path";
import type { Log } from "../../ports/log.ts";
import type { OutputSink } from "../../ports/sandbox.ts";
import { readBootId } from "../../system/boot.ts";
import { ownIdentity } from "../../system/process.ts";
import { LABELS } from "./blueprint.ts";
import type { HitBook } from "../limit/hit-book.ts";
import type { HiddenFolders } from "../folder/hidden.ts";
import type { Engine } from "./engine/engine.ts";
import type { Probed } from "./probe.ts";
import type { ContainerRecord } from "./record.ts";
import type { Vigils } from "./vigil.ts";

/** What the parts of the driver share. */
export interface ContainerWorld {
  readonly engine: Engine;
  /** The folder of the sandboxes' folders. */
  readonly root: string;
  readonly fleet: string;
  readonly host: string;
  /** What is run, and what it is held by; undefined for a driver that only ends what is there. */
  readonly image: string | undefined;
  readonly probed: Probed;
  readonly permitFile: string | undefined;
  readonly hidden: HiddenFolders;
  readonly output: (
    instance: string,
    folder: string,
    bytesMax: number | undefined,
  ) => Promise<OutputSink>;
  readonly vigils: Vigils;
  readonly book: HitBook;
  readonly log: Log;
}

/** The folder of a sandbox, whether or not there is one. */
export function folderOf({ root }: ContainerWorld, instance: string): string {
  return join(root, instance);
}

/** The name of the container of an instance: to make it is to claim it. */
export function nameOf({ fleet }: ContainerWorld, instance: string): string {
  return `stint-${fleet}-${instance}`;
}

/** What all containers of this fleet on this host bear. */
export function labelsOf({ fleet, host }: ContainerWorld): Readonly<Record<string, string>> {
  return { [LABELS.fleet]: fleet, [LABELS.host]: host };
}

/** A record of a sandbox that this process is about to claim. */
export function newRecord(
  { engine, fleet, host }: ContainerWorld,
  instance: string,
  run: readonly string[],
): ContainerRecord {
  const { pid, startTicks } = ownIdentity();
  return {
    version: 1,
    driver: "container",
    instance,
    fleet,
    host,
    boot_id: readBootId(),
    claimed_by: { pid, start_ticks: startTicks },
    run,
    socket: engine.socket,
    container: null,
  };
}
