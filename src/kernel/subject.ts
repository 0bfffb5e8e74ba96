import type { Command } from "./command.ts";
import type { Entry } from "./entry.ts";
import type { Json, JsonObject } from "./json.ts";
import { leaseIdAt, type Holder } from "./lease/lease.ts";
import { placeIdAt } from "./queue/place.ts";
import type { State } from "./state.ts";

/**
 * The worker or lease that an entry is about, or null: the key of `Journal.about`.
 *
 * An event names its worker as `worker`, or holds its manifest, and its lease as `lease`; a grant
 * is about the lease that it makes, a wait about the place that it takes, an announcement about
 * `lane:` and the lane. A refusal is about
 * the worker or lease that the refused command named, or the parent that asked for an admission.
 */
export function subjectOf({
  seq,
  kind,
  command,
  data,
}: Pick<Entry, "seq" | "kind" | "command" | "data">): string | null {
  // Any kind's data and any command's data are JSON; only fields by name are looked at.
  const said = data as unknown as JsonObject;
  if (kind === "lease.granted") return leaseIdAt(seq);
  if (kind.startsWith("lease.")) return textOf(said["lease"]);
  if (kind === "place.queued") return placeIdAt(seq);
  if (kind.startsWith("place.")) return textOf(said["place"]);
  if (kind === "lane.announced") return `lane:${textOf(said["lane"]) ?? ""}`;
  const asked = (command?.data ?? {}) as unknown as JsonObject;
  if (kind === "command.refused" && command?.kind.startsWith("lease.") === true)
    return textOf(asked["lease"]);
  if (kind === "command.refused" && command?.kind.startsWith("place.") === true)
    return textOf(asked["place"]);
  return nameIn(said) ?? nameIn(asked) ?? textOf(asked["parent"]);
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

/** Whether the state has a worker or a lease of an id; theirs are never alike. */
export function isKnown({ workers, book }: State, id: string): boolean {
  return workers.has(id) || book.leases.has(id);
}

/**
 * The workers and leases that matter to a command even when they have ended: its target, the
 * parent and the instance of an admission, the instance of a manifest, who is to hold a lease. The
 * first that has ended is `ended`.
 */
export function targetsOf({ kind, data }: Command): readonly string[] {
  if (kind === "worker.admit")
    return [...(data.parent === null ? [] : [data.parent]), data.instance];
  if (kind === "lease.acquire") return workerIn(data.holder);
  if (kind === "lease.hand_over") return [data.lease, ...workerIn(data.to)];
  if (kind === "lease.split") return [data.lease, data.to];
  if (kind === "worker.register") return data.manifest === null ? [] : [data.manifest.instance];
  if (kind === "halt.request" || kind === "condition.fail") return [];
  if (kind === "condition.trip") return data.worker === undefined ? [] : [data.worker];
  if ("lease" in data) return [data.lease];
  return "worker" in data ? [data.worker] : [];
}

function workerIn(holder: Holder): readonly string[] {
  return "worker" in holder ? [holder.worker] : [];
}
