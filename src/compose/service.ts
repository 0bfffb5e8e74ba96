// One of the files that know adapters: what starts, stops and hears the services of the roster.

import { startSupervisor } from "../client/start-supervisor.ts";
import type { Expected } from "../kernel/roster/roster.ts";
import type { HeardInstance } from "../library/service/acting.ts";
import type { ServiceKeeper } from "../ports/service.ts";
import { commandKeeper } from "../service/command.ts";
import { systemdKeeper } from "../service/systemd.ts";
import { commandLine } from "./command-line.ts";

/** What starts and stops a service of the roster; `cwd`: where its commands run. */
export function serviceKeeper({ unit, start, stop }: Expected, cwd: string): ServiceKeeper {
  return unit === undefined ? commandKeeper({ start, stop, cwd }) : systemdKeeper({ unit });
}

/** The roll of a fleet, as far as it is about services. */
export interface ServiceRoll {
  /** The instances of a service; undefined when the supervisor does not answer. */
  heard(name: string): Promise<readonly HeardInstance[] | undefined>;
  /** Lets go of the supervisor; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens the roll of the fleet in a state folder. Whoever waits to hear of a service needs somebody
 * who listens, so a supervisor is started where none runs. Throws what that throws.
 */
export async function openServiceRoll(stateDir: string): Promise<ServiceRoll> {
  const supervision = await startSupervisor({ stateDir, command: commandLine() });
  return {
    heard: async (name) => {
      const { sections } = await supervision.roll(name);
      const rows = [...sections.expected, ...sections.unexpected];
      return rows.find((row) => row.name === name)?.instances ?? [];
    },
    close: () => supervision.close(),
  };
}
