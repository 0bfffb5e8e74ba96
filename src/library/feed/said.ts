import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parserOf } from "../../protocol/parse.ts";
import { byName, EVIDENCE_LIMITS, jsonObject, text } from "../../protocol/scalar.ts";
import type { EventView, MetricView } from "./feed.ts";

/** As many labels as a metric may have. */
const labelsMax = 32;

const parseLabel = parserOf("name", text(LIMITS.actorTextCharsMax, 1));
const parseFields = parserOf("fields", jsonObject(EVIDENCE_LIMITS));
const parseLabels = parserOf(
  "labels",
  byName(
    text(LIMITS.actorTextCharsMax, 1),
    text(LIMITS.actorTextCharsMax),
    "an object of texts by name",
  ).refine((labels) => Object.keys(labels).length <= labelsMax, {
    error: `an object of at most ${labelsMax} labels`,
  }),
);

/**
 * Makes an event of a user's. Its fields keep a place of their own, so that no name a user chooses
 * collides with one of ours. Throws an InputError for what is not JSON.
 */
export function makeEvent(name: unknown, fields: unknown, atMs: number): EventView {
  const parsed: JsonObject = parseFields(fields ?? {});
  return Object.freeze({ kind: "event", name: parseLabel(name), atMs, fields: parsed });
}

/** Makes a measurement of a user's. Throws an InputError unless the value is a finite number. */
export function makeMetric(
  name: unknown,
  value: unknown,
  so: { readonly labels: unknown; readonly atMs: number },
): MetricView {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    const expected = "a finite number";
    throw new InputError("usage", [{ path: "value", expected, got: describeValue(value) }]);
  }
  const labels = parseLabels(so.labels ?? {});
  return Object.freeze({ kind: "metric", name: parseLabel(name), value, atMs: so.atMs, labels });
}
