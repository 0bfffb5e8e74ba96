/*
 * What the commands about places in the queue must come to, and when places are over: from the
 * ledger, and from trying what is waited for as if it were asked for anew.
 */

import type { CommandMap } from "../../../src/kernel/command.ts";
import type { Entry } from "../../../src/kernel/entry.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import type { Books, Problem } from "../books.ts";
import { attempt } from "../lease/attempting.ts";
import { liveAt, type LeaseRow } from "../lease/books.ts";
import { no, yes, type Expected } from "../lease/expected.ts";
import { isHolders, maySpeakFor, obstacleOfTaker, type Scene } from "../lease/holders.ts";
import { causeOf, isWaitingAt, standing, type PlaceRow } from "./books.ts";
import { endOf } from "./entering.ts";
import { isCircle } from "./circle.ts";

/** How far keeping a place up must move its end to be written, ms; but for the last time. */
const WORTH_WRITING_MS = 5_000;

/** What keeping a place up must come to. */
export function expectKeep(scene: Scene, data: CommandMap["place.keep"]): Expected {
  const { books, actor, atMs } = scene;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  if (books.killedSeq !== null) return no("fleet_killed");
  const row = rowOf(books, data.place);
  if (row === undefined) return cameTo(scene, data) ? yes() : no("place_ended");
  const obstacle = obstacleOf(row, data, atMs) ?? obstacleOfTaker(books, row.holder);
  if (obstacle !== null) return no(obstacle);
  const { id: place, rank, holder, ask, stakes, deadlineMs, untilMs } = row;
  if (!books.isPaused) {
    const outcome = attempt(scene, { ...ask, holder }, { rank, place });
    if (outcome.kind === "granted") return outcome.expected;
    // What it waits for it has by another way.
    if (outcome.kind === "kept")
      return yes({ kind: "place.left", data: { place, cause: "holder" } });
    const { held, code, tried } = outcome;
    if (held.length === 0) return { code, tried };
  }
  if (isCircle(scene, { holder, key: ask.key, rank, stakes })) return no("wait_deadlock");
  const until_ms = endOf(atMs, deadlineMs);
  const isLast = until_ms === deadlineMs && until_ms > untilMs;
  if (!isLast && until_ms - untilMs < WORTH_WRITING_MS) return yes();
  return yes({ kind: "place.kept", data: { place, until_ms } });
}

/** What leaving must come to: who waits no longer has left. */
export function expectLeave(scene: Scene, data: CommandMap["place.leave"]): Expected {
  const { books, actor, atMs } = scene;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  const { place } = data;
  const row = rowOf(books, place);
  if (row === undefined || !isWaitingAt(row, atMs)) return yes();
  if (!isHolders(data.claim, row.holder)) return no("holder_mismatch");
  return yes({ kind: "place.left", data: { place, cause: "holder" } });
}

/** What an operator's end of somebody's waiting must come to. */
export function expectCancel(scene: Scene, data: CommandMap["place.cancel"]): Expected {
  const { books, actor, atMs } = scene;
  if (actor.kind !== "operator") return no("not_authorised");
  const { place, reason } = data;
  const row = rowOf(books, place);
  if (row === undefined || !isWaitingAt(row, atMs)) return no("place_ended");
  return yes({ kind: "place.left", data: { place, cause: "operator", reason } });
}

/** What is wrong with the places that a decision takes to be long over: whose they were is told. */
export function lapseProblems(books: Books, entries: readonly Entry[]): readonly Problem[] {
  const [first] = entries;
  if (first === undefined || first.command?.kind === "fleet.recover") return [];
  const due = standing(books.queue)
    .filter(({ untilMs }) => untilMs + LIMITS.placeToldMs <= first.at_ms)
    .toSorted((one, other) => one.untilMs - other.untilMs || one.rank - other.rank)
    .slice(0, LIMITS.placeLapsesPerDecisionMax)
    .map((row) => `${row.id} ${causeOf(row)}`);
  const told = entries.flatMap(({ kind, data }) =>
    kind === "place.lapsed" ? [`${data.place} ${data.cause}`] : [],
  );
  const from = entries.findIndex(({ kind }) => kind !== "lease.lapsed");
  const isInPlace = entries
    .slice(from, from + told.length)
    .every(({ kind }) => kind === "place.lapsed");
  if (isInPlace && due.join() === told.join()) return [];
  const message = `by ${first.at_ms} [${due.join()}] are long over, it says [${told.join()}]`;
  return [{ rule: "I8", message }];
}

/** A place that some entry has given and none has taken away. */
function rowOf({ queue }: Books, id: string): PlaceRow | undefined {
  const row = queue.rows.get(id);
  return row?.isGone === false ? row : undefined;
}

/** Why somebody may not act on a place; null when he may. */
function obstacleOf(
  row: PlaceRow,
  { claim }: CommandMap["place.keep"],
  atMs: number,
): RefusalCode | null {
  if (!isHolders(claim, row.holder)) return "holder_mismatch";
  if (isWaitingAt(row, atMs)) return null;
  return causeOf(row) === "deadline" ? "wait_timeout" : "place_ended";
}

/** Whether a place has come to a lease that lives, of whoever says its name and shows its token. */
function cameTo({ books, atMs }: Scene, { place, claim }: CommandMap["place.keep"]): boolean {
  const isNamed = "worker" in claim || claim.name !== undefined;
  const isIt = (row: LeaseRow): boolean => row.place === place && isHolders(claim, row.holder);
  return isNamed && liveAt(books.ground, atMs).some(isIt);
}
