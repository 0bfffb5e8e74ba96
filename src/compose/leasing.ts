// One of the files that know adapters: what a single command about ground needs, as the command
// line gives it. It is apart from library.ts because such a call must start fast: the schemas of
// what is typed, sandboxes and the store of beats are not loaded for it, and journal and rules only
// where no supervisor answers.

import { existsSync } from "node:fs";
import { operatorDesk, type Desk } from "../library/desk/desk.ts";
import { SupervisorLink } from "../library/relay/link.ts";
import type { SupervisorDoor } from "../library/relay/supervisor-door.ts";
import { operatorOf } from "../library/seat.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit } from "../permit/permit.ts";
import { SILENT } from "../ports/log.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { readSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { systemClock } from "../system/clock.ts";
import { hostId } from "../system/host.ts";
import { statePlaces } from "../system/places.ts";
import { systemRandom } from "../system/random.ts";
import type { OpenedDirect } from "./deciding.ts";
import { whoami } from "./whoami.ts";

/**
 * Opens the desk of the operator of a fleet in a state folder; the caller closes it. Throws `Fault`
 * `secret_missing`; those of the journal come with the first command that needs it.
 */
export function openOperatorDesk(stateDir: string): Desk {
  const signer = openSigner(readSecretFile(statePlaces(stateDir).secret));
  const host = { id: hostId(), ...whoami() };
  const by = operatorOf({ host, via: "cli" }, undefined);
  const permit = filePermit(stateDir, killedFleetsOfUser());
  const clock = systemClock();
  const link = new SupervisorLink({
    door: { connect: () => connect(stateDir), start: () => start(stateDir) },
    mayStart: true,
    clock,
    timers: SYSTEM_TIMERS,
    log: SILENT,
  });
  let opening: Promise<OpenedDirect> | undefined;
  const open = async (): Promise<OpenedDirect> => {
    const { openDirect } = await import("./deciding.ts");
    opening ??= openDirect(stateDir, { signer, permit, host, owner: by });
    return opening;
  };
  return operatorDesk({
    random: systemRandom(),
    clock,
    timers: SYSTEM_TIMERS,
    keys: { signer },
    permit,
    relay: (order) => link.submit({ ...order, by, sights: true }),
    fleet: async () => (await link.status())?.fleet ?? (await open()).fleet,
    direct: open,
    close: async () => {
      await link.close();
      // What could not be opened was said when it was asked for.
      await (await opening?.catch(() => undefined))?.close();
    },
  });
}

/** Loaded only where a supervisor has been: HTTP is not free. */
async function connect(stateDir: string): ReturnType<SupervisorDoor["connect"]> {
  if (!existsSync(statePlaces(stateDir).operatorToken)) return undefined;
  const { connectSupervisor } = await import("../client/supervisor.ts");
  return connectSupervisor({ stateDir });
}

/** Loaded only where somebody is to wait, and no supervisor runs. */
async function start(stateDir: string): ReturnType<SupervisorDoor["start"]> {
  const [{ startSupervisor }, { commandLine }] = await Promise.all([
    import("../client/start-supervisor.ts"),
    import("./command-line.ts"),
  ]);
  return startSupervisor({ stateDir, command: commandLine() });
}
