import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { Fault } from "../../ports/fault.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import type { Signer } from "../../ports/signer.ts";
import { demandBesideGround } from "../ground/above-ground.ts";
import { base32 } from "../../runtime/base32.ts";
import type { FunctionConditions } from "../../runtime/function-condition.ts";
import { openLoop } from "../../runtime/open-loop.ts";
import type { Loop } from "../../runtime/loop.ts";
import { demand, type Seat, type Secret, type Surroundings } from "../seat.ts";
import { listDifferences } from "./contract.ts";
import type { ParsedFleetOptions } from "./options.ts";
import type { OpenStore } from "./store.ts";

/** As many random bits as an instance id has. */
const fleetIdBytes = 10;

/** Opens the signer of a secret; a bad one is the user's to mend, and is never shown. */
export function openSigner(surroundings: Surroundings, secret: Secret): Signer {
  try {
    return surroundings.openSigner(secret);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    const [expected = "", got = describeValue(typeof secret)] = error.message
      .replace(/^secret must (have|be) /, "")
      .split(/, got /);
    throw new InputError("usage", [{ path: "options.secret", expected, got }]);
  }
}

/** What is opened on a store before it is known which fleet it holds. */
export interface OpenedLoop {
  readonly store: OpenStore;
  readonly signer: Signer;
  readonly loop: Loop;
}

/** Opens the loop on a store; closes the store again when that fails. */
export async function openLoopOn(
  surroundings: Surroundings,
  so: {
    readonly store: OpenStore;
    readonly signer: Signer;
    readonly conditions: FunctionConditions;
  },
): Promise<OpenedLoop> {
  const { store, signer, conditions } = so;
  const { random, timers, log } = surroundings;
  try {
    const { journal } = store;
    const loop = await openLoop({ journal, signer, random, timers, log, ...conditions });
    return { store, signer, loop };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Sees to it that the journal holds a fleet: creates one where it is empty. Of several processes
 * that create one at once the first has created it for all.
 */
export async function ensureFleet(
  opened: OpenedLoop,
  surroundings: Surroundings,
  options: Pick<ParsedFleetOptions, "contract" | "name" | "foldCase"> & {
    readonly operator: Seat["owner"];
  },
): Promise<string> {
  const { loop, store, signer } = opened;
  const before = await loop.look();
  if (before.fleet !== null) return before.fleet;
  const contract = options.contract?.contract;
  if (contract === undefined)
    throw new InputError("usage", [
      { path: "options.contract", expected: "a contract for a new fleet", got: "nothing" },
    ]);
  const fleet = `f-${base32(surroundings.random.bytes(fleetIdBytes))}`;
  // Before the fleet, so that no fleet is ever without: that is what a kill looks like.
  await store.permit.grant(fleet);
  const { name, foldCase = false } = options;
  const folding = foldCase ? { fold_case: true as const } : {};
  const data = { fleet, name, contract, key: signer.key, ...folding };
  const answer = await loop.submit({ kind: "fleet.create", data }, options.operator);
  if (answer.ok) return fleet;
  await store.permit.withdraw(fleet);
  const after = await loop.look();
  if (after.fleet !== null && after.key.key_id !== signer.key.key_id) throw otherKey(after, signer);
  if (after.fleet !== null) return after.fleet;
  // CEL that does not check is refused here.
  throw new InputError("usage", [
    { path: "options.contract", expected: "one that can be enacted", got: answer.refusal.message },
  ]);
}

function otherKey(state: State, signer: Signer): Fault {
  const [expected, got] = [state.key.key_id, signer.key.key_id];
  const message = `the secret must be that of the fleet's key ${expected}, its key is ${got}`;
  return new Fault("key_mismatch", message);
}

/**
 * Sees to it that the contract in force is the one that was given. Throws an InputError that names
 * the differences, or enacts the given one if asked.
 */
export async function ensureContract(
  seat: Seat,
  { contract: parsed, enact }: Pick<ParsedFleetOptions, "contract" | "enact">,
): Promise<void> {
  const { contract: inForce } = seat.loop.state();
  const differences = parsed === undefined ? [] : listDifferences(inForce, parsed.contract);
  if (parsed === undefined || differences.length === 0) return;
  if (enact) {
    const { contract } = parsed;
    demandBesideGround(seat, contract);
    await demand(seat, { kind: "contract.enact", data: { contract } }, seat.owner);
    return;
  }
  const expected = "the contract in force, or given with enact: true";
  const got = `one that differs: ${differences.join("; ")}`.slice(0, LIMITS.noteBytesMax);
  throw new InputError("usage", [{ path: "options.contract", expected, got }]);
}

/** A store's driver, or why it has none here. */
export interface OpenedDriver {
  readonly driver: Sandbox | undefined;
  readonly why: string;
}

/** Opens the driver of a store, where it has one and this host can run it. */
export async function openDriver(
  store: OpenStore,
  so: { readonly fleet: string; readonly log: Surroundings["log"] },
): Promise<OpenedDriver> {
  const why = "a process needs a store that it can open too, such as sqlite";
  if (store.openSandbox === undefined) return { driver: undefined, why };
  try {
    return { driver: await store.openSandbox(so.fleet), why: "" };
  } catch (error) {
    const isUnavailable = error instanceof Fault && error.code === "sandbox_unavailable";
    if (!isUnavailable) throw error;
    // Everything but processes works without; asking for one says so.
    so.log.warn("no processes can be run here", { error: error.message });
    return { driver: undefined, why: error.message };
  }
}
