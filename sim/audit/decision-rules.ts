import { isDeepStrictEqual } from "node:util";
import type { Entry, RecordedCommand } from "../../src/kernel/entry.ts";
import type { EventKind } from "../../src/kernel/event.ts";
import type { Claim, Holder } from "../../src/kernel/lease/lease.ts";
import type { Books, Problem } from "./books.ts";
import { armedProblems } from "./armed.ts";
import { tripProblems } from "./conditions.ts";

/** What may still be written of a killed fleet: ends, and what was said about it (I3). */
const AFTER_KILL: ReadonlySet<EventKind> = new Set<EventKind>([
  "worker.lapsed",
  "worker.stopped",
  "worker.limit_hit",
  "fleet.recovered",
  "worker.adopted",
  "clock.accepted",
  "worker.noted",
  "budget.charged",
  "command.refused",
  "halt.requested",
  "refusals.suppressed",
  "journal.signed",
  "receipt.recorded",
  "lease.narrowed",
  "lease.released",
  "lease.revoked",
  "lease.lapsed",
  "lease.fenced",
  "lane.announced",
  "roll.changed",
  "roll.forgotten",
  "service.acted",
  "token.issued",
  "token.exchanged",
  "token.revoked",
]);

/** Commands that a worker may give about itself, and a supervisor about others (I9). */
const BY_WORKER = ["worker.checkpoint", "worker.stop", "worker.note", "budget.charge"];
/** What only a supervisor says, for it alone has measured it. */
const MEASURED = [
  "condition.trip",
  "condition.fail",
  "armed.check",
  "lease.mount",
  "lease.fence",
  "roll.observe",
  "roll.forget",
];
const BY_SUPERVISOR =
  "worker.register worker.note budget.charge worker.observe worker.exited worker.hit_limit " +
  "clock.tick refusals.suppress journal.sign receipt.record halt.request lane.announce " +
  MEASURED.join(" ");
const BY_SYSTEM =
  "worker.observe worker.exited clock.tick refusals.suppress journal.sign " +
  "receipt.record halt.request lane.announce token.exchange";

/** What is wrong with a decision as a whole: its form, its actor, its place after a kill. */
export function decisionProblems(entries: readonly Entry[], books: Books): Problem[] {
  const [first, ...others] = entries;
  const problems: Problem[] = [];
  const broken = (rule: string, message: string): void => void problems.push({ rule, message });
  if (first === undefined || first.command === null) {
    broken("SM2", "a decision must begin with its command");
    return problems;
  }
  for (const entry of others) {
    if (entry.command !== null) broken("SM2", `entry ${entry.seq} repeats its command`);
    if (!isDeepStrictEqual(entry.actor, first.actor)) broken("SM2", "a decision of two actors");
    if (entry.at_ms !== first.at_ms) broken("I11", "a decision at two instants");
  }
  const refusalIndex = entries.findIndex((entry) => entry.kind === "command.refused");
  if (refusalIndex >= 0 && refusalIndex < entries.length - 1)
    broken("SM2", "something follows a refusal in its decision");
  if (refusalIndex < 0 && !mayGive(first.command, first.actor))
    broken("I9", `${first.command.kind} was carried out for ${first.actor.kind} ${first.actor.id}`);
  for (const entry of entries) {
    if (books.killedSeq !== null && !AFTER_KILL.has(entry.kind))
      broken("I3", `${entry.kind} after the kill in entry ${books.killedSeq}`);
    if (entry.kind === "command.refused" && !isExplained(entry.data))
      broken("SM2", `the refusal ${entry.data.code} must carry facts and a message`);
  }
  problems.push(...tripProblems(entries, books), ...armedProblems(entries, books));
  return problems;
}

function isExplained(refusal: { readonly message: string; readonly facts: object }): boolean {
  return refusal.message.length > 0 && Object.keys(refusal.facts).length > 0;
}

function mayGive(command: RecordedCommand, { kind, id }: Entry["actor"]): boolean {
  if (kind === "operator") return !MEASURED.includes(command.kind);
  if (kind === "worker") return isAboutItself(command, id ?? "");
  return (kind === "supervisor" ? BY_SUPERVISOR : BY_SYSTEM).split(" ").includes(command.kind);
}

function isAboutItself(command: RecordedCommand, id: string): boolean {
  if (command.kind === "halt.request") return true;
  if (command.kind === "worker.admit") return command.data.parent === id;
  if (command.kind === "worker.register") return command.data.manifest?.instance === id;
  if (command.kind === "worker.stop" && command.data.tree) return false;
  if (command.kind === "lane.announce") return command.data.holder === id;
  const speaker = speakerOf(command);
  if (speaker !== undefined) return "worker" in speaker && speaker.worker === id;
  return BY_WORKER.includes(command.kind) && "worker" in command.data && command.data.worker === id;
}

/** For whom a command about a lease speaks; undefined for other commands. */
function speakerOf(command: RecordedCommand): Holder | Claim | undefined {
  if (command.kind === "lease.acquire") return command.data.holder;
  // Nobody vouches for the token that a worker would name for an outside party.
  if (command.kind === "lease.hand_over" && !("worker" in command.data.to)) return {};
  if (command.kind === "lease.hand_over")
    return command.data.orphan === true ? command.data.to : (command.data.claim ?? {});
  return "claim" in command.data ? command.data.claim : undefined;
}
