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
 * `lane:` and the lane, a change of the roll about `roll:NAME/INSTANCE`, an entry about a token
 * about that one (an exchange about the new one). A refusal is about the worker, lease or token
 * that the refused command named, or the parent that asked for an admission.
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
  if (kind === "roll.changed") return rollSubject(said);
  if (kind === "token.exchanged") return textOf(fieldOf(said["into"], "token"));
  if (kind.startsWith("token.")) return textOf(said["token"]);
  const asked = (command?.data ?? {}) as unknown as JsonObject;
  if (kind === "command.refused" && command?.kind.startsWith("lease.") === true)
    return textOf(asked["lease"]);
  if (kind === "command.refused" && command?.kind.startsWith("place.") === true)
    return textOf(asked["place"]);
  if (kind === "command.refused" && command?.kind.startsWith("token.") === true)
    return textOf(asked["token"]);
  return nameIn(said) ?? nameIn(asked) ?? textOf(asked["parent"]);
}

function nameIn(data: JsonObject): string | null {
  return textOf(data["worker"]) ?? textOf(fieldOf(data["manifest"], "instance"));
}

function rollSubject({ name, instance }: JsonObject): string {
  return `roll:${textOf(name) ?? ""}/${textOf(instance) ?? ""}`;
}

function fieldOf(value: Json | undefined, field: string): Json | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject)[field] : undefined;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** Whether the state has a worker, a lease or a token of an id; theirs are never alike. */
export function isKnown({ workers, book, access }: State, id: string): boolean {
  return workers.has(id) || book.leases.has(id) || access.has(id);
}

/**
 * The workers, leases and tokens that matter to a command even when they have ended: its target,
 * the parent and the instance of an admission, the instance of a manifest, who is to hold a lease.
 * The first that has ended is `ended`.
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
  if (kind === "token.issue")
    return [data.token, ...(data.worker === undefined ? [] : [data.worker])];
  if (kind === "token.exchange") return [data.token, data.into.token];
  if (kind === "token.revoke") return [data.token];
  if ("lease" in data) return [data.lease];
  return "worker" in data ? [data.worker] : [];
}

function workerIn(holder: Holder): readonly string[] {
  return "worker" in holder ? [holder.worker] : [];
}
