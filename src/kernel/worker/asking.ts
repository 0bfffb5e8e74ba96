import { carve } from "../budget/allowance.ts";
import type { Command, CommandMap } from "../command.ts";
import type { AdmissionContext } from "../condition/context/admission.ts";
import type { State } from "../state.ts";
import { admissionContext } from "./admission.ts";
import { registrationContext } from "./registration.ts";

/**
 * What the function conditions of the contract are to be asked about a command, or null when there
 * are none or they do not matter to it. Their verdicts are taken outside, on this very state, and
 * decided on as part of the command.
 */
export function askingContext(state: State, command: Command): AdmissionContext | null {
  if (!state.contract.stop.some(({ when }) => when === undefined)) return null;
  if (command.kind === "worker.admit") return askingAdmission(state, command.data);
  if (command.kind === "worker.register") return askingRegistration(state, command.data);
  return null;
}

/** Without a parent or room in the budget the conditions are never reached. */
function askingAdmission(
  state: State,
  request: CommandMap["worker.admit"],
): AdmissionContext | null {
  const parent = request.parent === null ? null : state.workers.get(request.parent);
  if (parent === undefined) return null;
  const carving = carve(parent, request.budget, state.contract);
  return carving.ok ? admissionContext(state, request, carving.granted) : null;
}

/** Conditions are asked again only if the contract changed since the admission. */
function askingRegistration(
  state: State,
  request: CommandMap["worker.register"],
): AdmissionContext | null {
  const worker = state.workers.get(request.manifest?.instance ?? "");
  if (worker === undefined || worker.contract_hash === state.contract_hash) return null;
  return registrationContext(state, worker);
}
