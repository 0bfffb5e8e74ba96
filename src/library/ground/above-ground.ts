import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Contract } from "../../kernel/fleet/contract.ts";
import { InputError } from "../../protocol/input.ts";
import type { Seat } from "../seat.ts";

/** A folder that a contract names, and what it is on this host. */
export interface NamedFolder {
  readonly path: string;
  readonly real: string;
}

/** A named folder that has ground in it, or is ground, and which. */
export interface AboveGround {
  readonly path: string;
  readonly folder: string;
}

/**
 * The first of some folders by which whoever writes there could put another ground in the place of
 * a fleet's: those above one of its folders, and these themselves.
 */
export function findAboveGround(
  named: readonly NamedFolder[],
  folders: readonly string[],
): AboveGround | undefined {
  for (const { path, real } of named) {
    const folder = folders.find((one) => one === real || one.startsWith(join(real, "/")));
    if (folder !== undefined) return { path, folder };
  }
  return undefined;
}

/** What a named folder must be, in words. */
export function besideGround(folder: string): string {
  return `a folder beside the ground of leases that are enforced, not ${folder} or above it`;
}

/**
 * Throws an InputError when a contract would enforce leases on ground that its workers can move
 * away, as far as that can be seen from here; a supervisor looks again at every start.
 */
export function demandBesideGround(
  { store, lookAtGround }: Pick<Seat, "store" | "lookAtGround">,
  { sandbox }: Pick<Contract, "sandbox">,
): void {
  const stateDir = store.address?.dir;
  if (sandbox.leases !== "enforced" || stateDir === undefined) return;
  const sight = lookAtGround({ cwd: "/", stateDir });
  if (!sight.ok) return;
  const named = sandbox.writable.map((path) => ({ path, real: realOf(path) }));
  const above = findAboveGround(named, sight.ground.folders);
  if (above === undefined) return;
  const path = `options.contract.sandbox.writable[${sandbox.writable.indexOf(above.path)}]`;
  throw new InputError("usage", [
    { path, expected: besideGround(above.folder), got: JSON.stringify(above.path) },
  ]);
}

function realOf(path: string): string {
  const full = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  try {
    return realpathSync(full);
  } catch {
    // What is not there may come to be.
    return full;
  }
}
