import type { JsonObject } from "../../kernel/json.ts";
import type { LivenessView } from "../../library/liveness/view.ts";
import { toWire } from "../../library/names.ts";

/** A judgement for programs; the fields are public and only added to. */
export function livenessDocument(view: LivenessView): JsonObject {
  const { leases, ...others } = toWire(view, "liveness") as JsonObject & {
    readonly leases: readonly JsonObject[];
  };
  return {
    ...others,
    leases: leases.map(({ id, ...lease }) => ({ lease_id: id ?? null, ...lease })),
  };
}
