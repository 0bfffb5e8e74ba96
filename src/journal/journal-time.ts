import { ok } from "../kernel/assert.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { ClockReading } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";

/**
 * The instant at which journal time was last tied to a host's clocks; stored with the head.
 *
 * Within one boot it never changes: journal time is its `atMs` plus the time since boot that has
 * passed, so small steps of the wall clock cannot add up unseen.
 */
export interface ClockAnchor {
  readonly bootId: string;
  readonly bootMs: number;
  readonly wallMs: number;
  readonly atMs: number;
}

/**
 * Journal time as a journal left it: of the newest entry, and what it is tied to.
 * It is tied to nothing after an import: those clocks were another host's.
 */
export interface JournalTime {
  readonly atMs: number;
  readonly anchor: ClockAnchor | null;
}

/** Journal time of an entry that is being made. */
export interface TiedTime extends JournalTime {
  readonly anchor: ClockAnchor;
}

/** How a reading is judged. */
export interface ClockRule {
  /** By how much the wall clock may differ from what it should show, ms. */
  readonly toleranceMs: number;
  /** An operator has looked at the clock and takes it as it is: ties journal time to it anew. */
  readonly isAccepted: boolean;
}

/**
 * The journal time of an entry made at `reading`, after the entry that left `last`.
 *
 * It never runs backwards (I11). On the boot of the anchor it advances by time since boot alone;
 * on another boot it is the wall clock or `last.atMs`, whichever is later. Throws `Fault`
 * `clock_skew` with both times when the wall clock contradicts it by more than the rule allows.
 *
 * A wall clock that was accepted while it was behind may stay behind, also over boots, until it has
 * caught up: till then journal time goes on by time since boot, and stands while the host is off.
 */
export function journalTime(
  last: JournalTime | null,
  reading: ClockReading,
  rule: ClockRule,
): TiedTime {
  const { wallMs, bootMs } = reading;
  ok(Number.isSafeInteger(wallMs) && Number.isSafeInteger(bootMs), "a clock gives whole ms");
  if (last === null) return tie(wallMs, reading);
  if (rule.isAccepted) return tie(Math.max(goneOn(last, reading), wallMs), reading);
  if (isOfBoot(last, reading)) return advance(last, reading, rule.toleranceMs);
  const behindMs = rule.toleranceMs + acceptedBehindMs(last.anchor, rule.toleranceMs);
  if (wallMs < last.atMs - behindMs) {
    throw skew(last.atMs, wallMs, `may be at most ${behindMs} ms behind it`);
  }
  if (wallMs > last.atMs + LIMITS.clockStepMsMax) {
    throw skew(last.atMs, wallMs, `may be at most ${LIMITS.clockStepMsMax} ms ahead of it`);
  }
  return tie(Math.max(last.atMs, wallMs), reading);
}

function isOfBoot(last: JournalTime, { bootId }: ClockReading): last is TiedTime {
  return last.anchor?.bootId === bootId;
}

/** By how much the wall clock was behind when an operator took it as it is, ms; else 0. */
function acceptedBehindMs(anchor: ClockAnchor | null, toleranceMs: number): number {
  const behindMs = anchor === null ? 0 : anchor.atMs - anchor.wallMs;
  return behindMs > toleranceMs ? behindMs : 0;
}

/** Where journal time is by time since boot, or where it was left when that says nothing. */
function goneOn(last: JournalTime, reading: ClockReading): number {
  if (!isOfBoot(last, reading)) return last.atMs;
  return Math.max(last.atMs, last.anchor.atMs + reading.bootMs - last.anchor.bootMs);
}

function advance(last: TiedTime, reading: ClockReading, toleranceMs: number): TiedTime {
  const { anchor } = last;
  const passedMs = reading.bootMs - anchor.bootMs;
  const atMs = anchor.atMs + passedMs;
  const wallDueMs = anchor.wallMs + passedMs;
  const behindMs = acceptedBehindMs(anchor, toleranceMs);
  const aheadMs = reading.wallMs - wallDueMs;
  if (aheadMs < -toleranceMs || aheadMs > behindMs + toleranceMs) {
    throw skew(wallDueMs, reading.wallMs, `may differ by at most ${toleranceMs} ms from it`);
  }
  if (behindMs > 0 && aheadMs >= behindMs - toleranceMs) {
    // It has caught up: from here on it is a clock like any other.
    return tie(Math.max(last.atMs, reading.wallMs), reading);
  }
  // A time namespace can shift time since boot under the same boot id.
  if (atMs < last.atMs - toleranceMs) {
    const message = `time since boot must not run backwards, it fell by ${last.atMs - atMs} ms`;
    throw new Fault("clock_skew", message);
  }
  return { atMs: Math.max(atMs, last.atMs), anchor };
}

function tie(atMs: number, { bootId, bootMs, wallMs }: ClockReading): TiedTime {
  return { atMs, anchor: { bootId, bootMs, wallMs, atMs } };
}

function skew(dueMs: number, wallMs: number, bound: string): Fault {
  return new Fault(
    "clock_skew",
    `by journal time it is ${showInstant(dueMs)}, the wall clock ${bound}, ` +
      `it shows ${showInstant(wallMs)}: if that is right, an operator must accept the clock`,
  );
}

/** The instant for people; a number where no date can show it. */
function showInstant(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? `${atMs} ms` : date.toISOString();
}
