import type { Hub } from "../../bus/hub.ts";
import { controlOf, journalSubject, statusOf, workerSubject } from "../../bus/subjects.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { BusIdentity } from "../../ports/bus.ts";

const FROM: BusIdentity = { kind: "supervisor" };

/**
 * Tells the bus what the journal says: a hint for each entry, what became of an instance, and what
 * is asked of whom. Only what is durable is ever told.
 */
export function announce(hub: Hub, fleet: string, entry: Entry): void {
  const { seq, kind } = entry;
  const subject = subjectOf(entry);
  const hint = subject === null ? { seq, kind } : { seq, kind, subject };
  hub.tell(journalSubject(fleet), hint, { from: FROM });
  if (entry.kind === "roll.changed") {
    const { name, instance } = entry.data;
    const body = { seq, at_ms: entry.at_ms, ...entry.data } as unknown as JsonObject;
    hub.tell(statusOf(name, instance), body, { from: FROM });
  }
  if (entry.kind === "control.requested") announceControl(hub, entry, entry.data.ttl_ms);
}

/**
 * Tells each target what is asked of it, for as long as that is good. Who subscribes only then is
 * told, too, and may be told twice: `seq` says that it is the same.
 */
export function announceControl(hub: Hub, entry: Entry<"control.requested">, ttlMs: number): void {
  const { seq, data, fleet } = entry;
  const { name, action, instances, workers, data: more } = data;
  const body: JsonObject = { seq, name, action, ...(more === undefined ? {} : { data: more }) };
  const subjects = [
    ...instances.map((instance) => controlOf(name, instance)),
    ...workers.map((worker) => workerSubject(fleet, worker, "control")),
  ];
  for (const subject of subjects) hub.tell(subject, body, { from: FROM, ttlMs, isRetained: true });
}
