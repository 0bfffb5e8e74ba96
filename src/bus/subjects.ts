// Which subjects there are, and who may use which:
//
//     system.NAME.INSTANCE.health | status | control     beats, changes, orders: told by the
//     fleet.F.worker.W.health | control                  supervisor alone
//     fleet.F.journal                                    one hint for each entry
//     system.NAME.…   fleet.F.worker.W.…   fleet.F.operator.…   whatever their owners publish

import type { BusIdentity } from "../ports/bus.ts";
import { InputError } from "../protocol/input.ts";
import { asToken, type Tokens } from "./subject.ts";

/** Ends of subjects that only the supervisor publishes on: what it tells there is on record. */
const TOLD: ReadonlySet<string> = new Set(["health", "status", "control"]);

/** The subject of an instance's beats. */
export function healthOf(name: string, instance: string): string {
  return `system.${name}.${instance}.health`;
}

/** The pattern of all beats of services. */
export const ALL_BEATS = "system.*.*.health";

/** The subject of what becomes of an instance. */
export function statusOf(name: string, instance: string): string {
  return `system.${name}.${instance}.status`;
}

/** The subject of orders to an instance. */
export function controlOf(name: string, instance: string): string {
  return `system.${name}.${instance}.control`;
}

/** The subject of what concerns one worker of a fleet: its `health` and `control`. */
export function workerSubject(fleet: string, worker: string, leaf: string): string {
  return `fleet.${asToken(fleet)}.worker.${asToken(worker)}.${leaf}`;
}

/** The subject of hints at new entries. */
export function journalSubject(fleet: string): string {
  return `fleet.${asToken(fleet)}.journal`;
}

/** Throws an InputError where an identity may not publish on a subject. */
export function demandPublishing(from: BusIdentity, subject: Tokens, fleet: string): void {
  if (from.kind === "supervisor") return;
  const own = ownOf(from, fleet);
  const isOwn = own.some((prefix) => isBelow(subject, prefix));
  if (!isOwn) deny("subject", expectedBelow(own), subject);
  if (TOLD.has(subject.at(-1) ?? ""))
    deny("subject", 'one that does not end in "health", "status" or "control"', subject);
}

/** Throws an InputError where an identity may not hear all that a pattern matches. */
export function demandSubscribing(by: BusIdentity, pattern: Tokens, fleet: string): void {
  if (by.kind === "supervisor" || by.kind === "operator") return;
  const own = ownOf(by, fleet);
  if (own.some((prefix) => isBelow(pattern, prefix))) return;
  deny("pattern", expectedBelow(own), pattern);
}

/** The prefixes below which an identity is at home. */
function ownOf(who: Exclude<BusIdentity, { kind: "supervisor" }>, fleet: string): Tokens[] {
  const root = asToken(fleet);
  if (who.kind === "operator") return [["system"], ["fleet", root, "operator"]];
  if (who.kind === "service") return [["system", who.id]];
  return [["fleet", root, "worker", who.id]];
}

/** Whether tokens go on where a prefix ends; a wildcard is no token of a prefix. */
function isBelow(tokens: Tokens, prefix: Tokens): boolean {
  return tokens.length > prefix.length && prefix.every((token, index) => token === tokens[index]);
}

function expectedBelow(own: readonly Tokens[]): string {
  return `below ${own.map((prefix) => `"${prefix.join(".")}"`).join(" or ")}`;
}

function deny(path: string, expected: string, got: Tokens): never {
  throw new InputError("usage", [{ path, expected, got: `"${got.join(".")}"` }]);
}
