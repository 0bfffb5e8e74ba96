/*
 * Decides anew what each command about leases must come to: from the ledger, from resources that
 * are tried one by one, and from nothing that the kernel decides by. So every refusal has a reason,
 * every grant has none against it, and whatever is in the way is the first that counts.
 */

import type { Actor } from "../../../src/kernel/actor.ts";
import type { Entry, RecordedCommand } from "../../../src/kernel/entry.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { Books, Problem } from "../books.ts";
import { expectCancel, expectKeep, expectLeave, lapseProblems } from "../queue/waiting.ts";
import { expectAcquire, expectSplit } from "./acquiring.ts";
import { clashOf, isSameHolder, lendersOf, liveAt, type LeaseRow } from "./books.ts";
import { outcomeProblems, type Expected } from "./expected.ts";
import type { Scene } from "./holders.ts";
import {
  expectHandOver,
  expectNarrow,
  expectRelease,
  expectRenew,
  expectRevoke,
} from "./keeping.ts";
import { expectAnnouncement, expectEnactment } from "./lanes.ts";
import { expectFence, expectMount } from "./mounts.ts";
import { refusalProblems } from "./reasons.ts";

/** What a command must come to where leases are its business; null where they are not. */
export function expect(scene: Scene, command: RecordedCommand): Expected | null {
  switch (command.kind) {
    case "lease.acquire":
      return expectAcquire(scene, command.data);
    case "lease.split":
      return expectSplit(scene, command.data);
    case "lease.renew":
      return expectRenew(scene, command.data);
    case "lease.release":
      return expectRelease(scene, command.data);
    case "lease.narrow":
      return expectNarrow(scene, command.data);
    case "lease.hand_over":
      return expectHandOver(scene, command.data);
    case "lease.revoke":
      return expectRevoke(scene, command.data);
    case "lease.mount":
      return expectMount(scene, command.data);
    case "lease.fence":
      return expectFence(scene, command.data);
    case "lanes.enact":
      return expectEnactment(scene, command.data);
    case "lane.announce":
      return expectAnnouncement(scene, command.data);
    case "place.keep":
      return expectKeep(scene, command.data);
    case "place.leave":
      return expectLeave(scene, command.data);
    case "place.cancel":
      return expectCancel(scene, command.data);
    default:
      return null;
  }
}

/** Judges one decision while it is entered into the books. */
export class Judge {
  readonly #books: Books;
  readonly #entries: readonly Entry[];
  readonly #command: RecordedCommand | null;
  readonly #actor: Actor;
  readonly #atMs: number;
  #isJudged = false;

  /** The books must not have any of the entries yet; they are entered one after another. */
  constructor(books: Books, entries: readonly Entry[]) {
    const [first] = entries;
    this.#books = books;
    this.#entries = entries;
    this.#command = first?.command ?? null;
    this.#actor = first?.actor ?? { kind: "system", via: "runtime" };
    this.#atMs = first?.at_ms ?? 0;
  }

  /** What is wrong with the time that the decision takes leases to be over at. */
  begin(): readonly Problem[] {
    if (this.#command?.kind === "fleet.recover") return [];
    const over = [...this.#books.ground.rows.values()]
      .filter((row) => !row.isEnded && row.expiresAtMs <= this.#atMs)
      .toSorted((one, other) => one.expiresAtMs - other.expiresAtMs || (one.id < other.id ? -1 : 1))
      .slice(0, LIMITS.leaseLapsesPerDecisionMax)
      .map(({ id }) => id);
    const lapsed = this.#entries.flatMap((entry) =>
      entry.kind === "lease.lapsed" ? [entry.data.lease] : [],
    );
    const isFirst = this.#entries
      .slice(0, lapsed.length)
      .every(({ kind }) => kind === "lease.lapsed");
    const ofPlaces = lapseProblems(this.#books, this.#entries);
    if (isFirst && over.join() === lapsed.join()) return ofPlaces;
    const message = `by ${this.#atMs} [${over.join()}] are over, it says [${lapsed.join()}]`;
    return [{ rule: "I8", message }, ...ofPlaces];
  }

  /** What is wrong with an entry that is about to be booked, and with all that follow it. */
  before(entry: Entry, index: number): readonly Problem[] {
    if (entry.kind === "worker.stopped") return this.#endProblems(entry.data, index);
    if (this.#isJudged || !isOutcome(entry)) return [];
    return this.#judge(this.#entries.slice(index));
  }

  /** What is wrong once all is booked: with what was not written, and with what now lives. */
  end(): readonly Problem[] {
    const unwritten = this.#isJudged ? [] : this.#judge([]);
    const isAboutLeases = this.#entries.some(({ kind }) => kind.startsWith("lease."));
    return isAboutLeases ? [...unwritten, ...clashProblems(this.#books, this.#atMs)] : unwritten;
  }

  #judge(outcome: readonly Entry[]): readonly Problem[] {
    this.#isJudged = true;
    if (this.#command === null) return [];
    const scene = { books: this.#books, actor: this.#actor, atMs: this.#atMs };
    const expected = expect(scene, this.#command);
    if (expected === null) return [];
    const { kind } = this.#command;
    const found = outcomeProblems(expected, outcome, this.#books.ground.foldsCase);
    const problems = [...found, ...refusalProblems(scene, this.#command, outcome[0])];
    return problems.map(({ rule, message }) => ({ rule, message: `${kind}: ${message}` }));
  }

  /**
   * Who ended as it should gives back all that it held, in the same decision; others nothing, and
   * neither does who is only declared to have ended, whatever he was told to stop for.
   */
  #endProblems({ worker, reason }: { worker: string; reason: string }, index: number): Problem[] {
    const held = [...this.#books.ground.rows.values()]
      .filter((row) => !row.isEnded && isSameHolder(row.holder, { worker }))
      .map(({ id }) => id);
    const released = this.#entries.slice(index).flatMap((entry) => {
      const isReturned = entry.kind === "lease.released" && entry.data.cause === "completed";
      return isReturned ? [entry.data.lease] : [];
    });
    const isDeclared = this.#entries[0]?.command?.kind === "worker.write_off";
    const due = reason === "completed" && !isDeclared ? held : [];
    if (due.toSorted().join() === released.toSorted().join()) return [];
    const message = `${worker} ended as ${reason}: due [${due.join()}], got [${released.join()}]`;
    return [{ rule: "SM9", message }];
  }
}

/** What a command about leases writes of itself: not what time has ended before it. */
function isOutcome({ kind }: Entry): boolean {
  if (kind === "command.refused") return true;
  return /^(lease|lane|lanes|place)\./.test(kind) && !kind.endsWith(".lapsed");
}

/** No two live leases are in each other's way, whatever gave them (I1). */
function clashProblems({ ground }: Books, atMs: number): readonly Problem[] {
  const live = liveAt(ground, atMs);
  const problems: Problem[] = [];
  for (const [index, row] of live.entries())
    for (const other of live.slice(index + 1)) {
      if (isKin(row, other) || clashOf(ground.foldsCase, row, other) === null) continue;
      problems.push({ rule: "I1", message: `${row.id} and ${other.id} are both live` });
    }
  return problems;

  function isKin(row: LeaseRow, other: LeaseRow): boolean {
    if (row.lender === null && other.lender === null) return false;
    return lendersOf(ground, row).includes(other) || lendersOf(ground, other).includes(row);
  }
}
