// The file that knows what a kill needs of this machine when a fleet's journal cannot be opened:
// permits, the driver's records, and the secret for a signature. SQLite is no part of it.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Receipt } from "../library/kill/receipt.ts";
import { killUnjournaled } from "../library/kill/unjournaled.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit } from "../permit/permit.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Signer } from "../ports/signer.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { readRecord as readContainerRecord } from "../sandbox/container/record.ts";
import { openSandboxes } from "../sandbox/drivers.ts";
import { readRecord } from "../sandbox/process/record.ts";
import { readSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { systemClock } from "../system/clock.ts";
import { hostId } from "../system/host.ts";
import { fleetOfPermit, isPermit, permitFile, statePlaces } from "../system/places.ts";

/** A fleet in a state folder, as it shows without its journal. */
export interface UnopenedSurvey {
  readonly fleet: string;
  /** The instances of its sandboxes that are on record and not known to be gone. */
  readonly instances: readonly string[];
}

/**
 * The fleets of a state folder by their permits, and by the records of their sandboxes where the
 * permits are gone. Never throws: what cannot be read shows nothing.
 */
export async function surveyUnopened(dir: string): Promise<readonly UnopenedSurvey[]> {
  const names = await listNames(dir);
  const permitted = names.filter(isPermit).map(fleetOfPermit);
  const fleets = new Set([...permitted, ...(await recordedFleets(dir))]);
  return Promise.all(
    [...fleets].map(async (fleet) => ({ fleet, instances: await listInstances(dir, fleet) })),
  );
}

/**
 * Kills a fleet whose journal cannot be opened; see {@link killUnjournaled}. `why` says what stands
 * in the way of the journal, for the receipt. Never throws.
 */
export async function killUnopened(
  dir: string,
  fleet: string,
  order: { readonly reason: string; readonly why: string },
): Promise<Receipt> {
  const world = { clock: systemClock(), timers: SYSTEM_TIMERS };
  const permit = filePermit(dir, killedFleetsOfUser());
  const driver = await openDriver(dir, fleet);
  const receipt = await killUnjournaled(
    world,
    { fleet, permit, driver, signer: signerOf(dir) },
    order,
  );
  if (!(driver instanceof Error)) await driver.close();
  return receipt;
}

async function recordedFleets(dir: string): Promise<readonly string[]> {
  const root = statePlaces(dir).sandboxes;
  const records = await Promise.all(
    (await listNames(root)).map(async (name) => {
      try {
        const folder = join(root, name);
        return (await readRecord(folder)) ?? (await readContainerRecord(folder));
      } catch {
        // Not ours to read: then it is no sandbox of ours.
        return undefined;
      }
    }),
  );
  return records.flatMap((record) => (record === undefined ? [] : [record.fleet]));
}

async function listInstances(dir: string, fleet: string): Promise<readonly string[]> {
  const driver = await openDriver(dir, fleet);
  if (driver instanceof Error) return [];
  try {
    const records = await driver.list();
    return records.filter(({ seen }) => seen !== "gone").map(({ instance }) => instance);
  } catch {
    // The kill meets it again, and its receipt says so.
    return [];
  } finally {
    await driver.close();
  }
}

async function openDriver(dir: string, fleet: string): Promise<Sandbox | Error> {
  try {
    return await openSandboxes({
      stateFolder: dir,
      fleet,
      host: hostId(),
      permitFile: permitFile(dir, fleet),
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function signerOf(dir: string): Signer | undefined {
  try {
    return openSigner(readSecretFile(statePlaces(dir).secret));
  } catch {
    // Missing, unreadable, or kept elsewhere: then the receipt is not signed.
    return undefined;
  }
}

async function listNames(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch {
    // No such folder, or not ours to read.
    return [];
  }
}
