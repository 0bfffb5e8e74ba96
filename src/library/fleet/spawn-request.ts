import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import type { AdmissionRequest } from "../../protocol/admission.ts";
import { parseName } from "../../protocol/worker.ts";
import type { Member } from "../member.ts";
import { resolveNow } from "../worker/reference.ts";
import { parseRequest, type WorkerRequest } from "../worker/request.ts";
import type { SpawnOptions } from "./fleet.ts";

/** Checks what an operator asks for a worker: a root, or a child of the parent with this id. */
export function operatorRequest(
  { sandboxes, whyNoSandboxes }: Member,
  options: unknown,
  parent: string | null,
): WorkerRequest {
  const defaults = { path: "options", name: "worker", reason: "start" };
  return parseRequest(options, {
    ...defaults,
    parent,
    degraded: sandboxes?.degraded,
    whyNoSandboxes,
  });
}

/** Checks what an operator asks for a worker that is to be started at once. */
export async function startRequest(member: Member, options: unknown): Promise<WorkerRequest> {
  if (!isPlainObject(options)) return operatorRequest(member, options, null);
  const { parent, runId, signal: given, ...asked } = options;
  const signal = given === undefined ? {} : { signal: demandSignal(given) };
  const id = parent === undefined ? null : await resolveNow(member.seat, parent);
  const request = { ...operatorRequest(member, asked, id), ...signal };
  if (runId === undefined) return request;
  return { ...request, runId: parseName(runId, { path: "options.runId" }) };
}

function demandSignal(given: unknown): AbortSignal {
  if (given instanceof AbortSignal) return given;
  const expected = "an AbortSignal";
  throw new InputError("usage", [{ path: "options.signal", expected, got: describeValue(given) }]);
}

/** Checks what an operator asks for a worker whose steps he drives himself. */
export async function spawnRequest(
  member: Member,
  { parent, ...options }: SpawnOptions = {},
): Promise<AdmissionRequest> {
  const id = parent === undefined ? null : await resolveNow(member.seat, parent);
  const { admission, run } = operatorRequest(member, options, id);
  if (run === undefined) return admission;
  const expected = "absent (whoever drives the steps runs the program himself)";
  throw new InputError("usage", [{ path: "options.run", expected, got: describeValue(run) }]);
}
