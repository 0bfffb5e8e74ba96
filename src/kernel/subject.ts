import type { Entry } from "./entry.ts";
import type { Json, JsonObject } from "./json.ts";

/**
 * The worker that an entry is about, or null: the key of `Journal.about`.
 *
 * An event names it as `worker`, or holds its manifest; a refusal is about the worker that the
 * refused command named, or the parent that asked for an admission.
 */
export function subjectOf({ command, data }: Pick<Entry, "command" | "data">): string | null {
  // Any kind's data and any command's data are JSON; only fields by name are looked at.
  const asked = (command?.data ?? {}) as unknown as JsonObject;
  return nameIn(data as unknown as JsonObject) ?? nameIn(asked) ?? textOf(asked["parent"]);
}

function nameIn(data: JsonObject): string | null {
  return textOf(data["worker"]) ?? textOf(instanceOf(data["manifest"]));
}

function instanceOf(manifest: Json | undefined): Json | undefined {
  const isObject = typeof manifest === "object" && manifest !== null && !Array.isArray(manifest);
  return isObject ? (manifest as JsonObject)["instance"] : undefined;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
