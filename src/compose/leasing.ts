// One of the files that know adapters: what a single command about ground needs, as the command
// line gives it. It is apart from library.ts because such a call must start fast: neither the
// schemas of what is typed, nor sandboxes, nor the store of beats are loaded for it; the journal is
// opened only where no supervisor answers.

import { existsSync } from "node:fs";
import { openSqliteJournal } from "../journal/sqlite/open.ts";
import { operatorDesk, type Desk, type DeskSeat } from "../library/desk/desk.ts";
import { adoptKill } from "../library/kill/adoption.ts";
import { SupervisorLink } from "../library/relay/link.ts";
import type { SupervisorDoor } from "../library/relay/supervisor-door.ts";
import { operatorOf } from "../library/seat.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit } from "../permit/permit.ts";
import { Fault } from "../ports/fault.ts";
import { SILENT } from "../ports/log.ts";
import type { Signer } from "../ports/signer.ts";
import { openLoop } from "../runtime/open-loop.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { readSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { systemClock } from "../system/clock.ts";
import { lookAtGround } from "../system/ground/ground.ts";
import { hostId } from "../system/host.ts";
import { statePlaces } from "../system/places.ts";
import { systemRandom } from "../system/random.ts";
import { whoami } from "./whoami.ts";

/**
 * After how many entries such a call signs the head, so that the next one has few to fold; one
 * call in so many takes the time for it.
 */
const SIGN_EVERY_ENTRIES = 32;

/**
 * Opens the desk of the operator of a fleet in a state folder; the caller closes it. Throws `Fault`
 * `secret_missing`; those of the journal come with the first command that needs it.
 */
export function openOperatorDesk(stateDir: string): Desk {
  const signer = openSigner(readSecretFile(statePlaces(stateDir).secret));
  const host = { id: hostId(), ...whoami() };
  const by = operatorOf({ host, via: "cli" }, undefined);
  const clock = systemClock();
  const link = new SupervisorLink({
    door: { connect: () => connect(stateDir), start: () => unstarted() },
    mayStart: false,
    clock,
    timers: SYSTEM_TIMERS,
    log: SILENT,
  });
  let direct: Promise<OpenedSeat> | undefined;
  const open = (): Promise<OpenedSeat> => {
    direct ??= openDirect(stateDir, { signer, host, owner: by });
    return direct;
  };
  return operatorDesk({
    by,
    random: systemRandom(),
    keys: { signer },
    relay: (id, command) => link.submit({ id, command, by, sights: true }),
    fleet: async () => (await link.status())?.fleet ?? (await open()).loop.state().fleet ?? "",
    direct: open,
    close: async () => {
      await link.close();
      // What could not be opened was said when it was asked for.
      await (await direct?.catch(() => undefined))?.close();
    },
  });
}

/** The journal as it was opened, and how it is closed. */
interface OpenedSeat extends DeskSeat {
  close(): Promise<void>;
}

async function openDirect(
  stateDir: string,
  so: { readonly signer: Signer } & Pick<DeskSeat, "host" | "owner">,
): Promise<OpenedSeat> {
  const journal = await openSqliteJournal({
    folder: stateDir,
    clock: systemClock(),
    create: false,
  });
  try {
    const loop = await openLoop({
      journal,
      signer: so.signer,
      random: systemRandom(),
      signEveryEntries: SIGN_EVERY_ENTRIES,
      signsOnClose: false,
    });
    const permit = filePermit(stateDir, killedFleetsOfUser());
    const address = { kind: "sqlite", dir: stateDir } as const;
    const store = { journal, permit, address };
    const timers = SYSTEM_TIMERS;
    const seat: DeskSeat = { loop, store, timers, lookAtGround, host: so.host, owner: so.owner };
    const { fleet } = loop.state();
    // A kill that could not be journaled binds all the same.
    if (fleet !== null) await adoptKill({ ...seat, fleet });
    const close = async (): Promise<void> => {
      await loop.close();
      await journal.close();
    };
    return { ...seat, close };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Loaded only where a supervisor has been: HTTP is not free. */
async function connect(stateDir: string): ReturnType<SupervisorDoor["connect"]> {
  if (!existsSync(statePlaces(stateDir).operatorToken)) return undefined;
  const { connectSupervisor } = await import("../client/supervisor.ts");
  return connectSupervisor({ stateDir });
}

async function unstarted(): Promise<never> {
  throw new Fault("supervisor_unreachable", "a desk must use a supervisor that runs, none was");
}
