import type { Submission } from "../src/kernel/command.ts";
import { decide } from "../src/kernel/decide.ts";
import { judgePath, type WritingVerdict } from "../src/kernel/ground/writing.ts";
import { bookOf, withRules } from "../src/kernel/lease/book.ts";
import { OrderedMap } from "../src/kernel/ordered-map.ts";
import type { Place } from "../src/kernel/queue/place.ts";
import { dropPlace, putPlace, type Queue } from "../src/kernel/queue/queue.ts";
import type { State } from "../src/kernel/state.ts";
import type { Question } from "./audit/lease/writing.ts";

/** Faults that are put in on purpose, to see that the simulator finds them. */
export const DELIBERATE_FAULTS = [
  "admit-reserves-nothing",
  "append-ignores-head",
  "restart-forgets-kill",
  "acquire-sees-no-leases",
  "acquire-miscounts-slots",
  "acquire-ignores-rights",
  "renew-comes-too-late",
  "lapse-comes-too-early",
  "claim-goes-unchecked",
  "fence-goes-unchecked",
  "check-ignores-fence",
  "queue-is-passed",
  "place-never-ends",
  "slot-is-promised-twice",
  "circle-goes-unseen",
  "turn-goes-untold",
  "silence-begins-anew",
  "reap-comes-too-early",
  "archive-forgets-entries",
] as const;

/** A fault that is put in on purpose. */
export type DeliberateFault = (typeof DELIBERATE_FAULTS)[number];

/** How much too early leases lapse where they do, ms. */
const TOO_EARLY_MS = 1_000;

/**
 * The rules by which a process decides that has this fault; the true ones if it is not in the
 * rules. `isRestart` says whether the process was started after the kill.
 */
export function rulesOf(fault: DeliberateFault | null, isRestart: boolean): typeof decide {
  switch (fault) {
    case "admit-reserves-nothing":
      return (state, submission, atMs) => decide(withoutReservations(state), submission, atMs);
    case "restart-forgets-kill":
      if (!isRestart) return decide;
      return (state, submission, atMs) => decide(revived(state), submission, atMs);
    case "acquire-sees-no-leases":
      return onAcquiring((state, atMs) => withoutLiveLeases(state, atMs));
    case "acquire-miscounts-slots":
      return onAcquiring(withMoreSlots);
    case "acquire-ignores-rights":
      return onAcquiring(withoutBounds);
    case "renew-comes-too-late":
      return (state, submission, atMs) =>
        decide(state, submission, beforeEnd(state, submission, atMs));
    case "lapse-comes-too-early":
      return (state, submission, atMs) =>
        decide(state, submission, atMs + (isNearAnEnd(state, atMs) ? TOO_EARLY_MS : 0));
    case "claim-goes-unchecked":
      return (state, submission, atMs) => decide(state, asHolder(state, submission), atMs);
    case "fence-goes-unchecked":
      return (state, submission, atMs) => decide(state, withoutFence(submission), atMs);
    case "queue-is-passed":
      return onAcquiring((state, atMs) => withPlaces(state, ({ until_ms }) => until_ms <= atMs));
    case "place-never-ends":
      return onQueueing(withoutEnds);
    case "slot-is-promised-twice":
      return onQueueing((state) => withQueue(state, { slots: OrderedMap.empty() }));
    case "circle-goes-unseen":
      return onQueueing((state) => withQueue(state, { holders: OrderedMap.empty() }));
    case "reap-comes-too-early":
      return (state, submission, atMs) => decide(state, asSilent(submission), atMs);
    default:
      return decide;
  }
}

/** The answer of a process that has this fault to whether somebody may write a file. */
export function answerWith(
  fault: DeliberateFault | null,
  state: State,
  question: Question,
): WritingVerdict {
  if (fault !== "check-ignores-fence") return judgePath(state, question);
  const { fence: _, ...others } = question;
  return judgePath(state, others);
}

/** Only those who have registered count. */
function withoutReservations(state: State): State {
  const admitted = [...state.workers.values()].filter(({ status }) => status === "admitted");
  return {
    ...state,
    live_count: state.live_count - admitted.length,
    total_count: state.total_count - admitted.length,
  };
}

function revived(state: State): State {
  return state.status === "killed" ? { ...state, status: "open" } : state;
}

/** The true rules on another state, where a lease is asked for. */
function onAcquiring(change: (state: State, atMs: number) => State): typeof decide {
  return (state, submission, atMs) => {
    const isIt = submission.command.kind === "lease.acquire";
    return decide(isIt ? change(state, atMs) : state, submission, atMs);
  };
}

/** Those that are over stay, so that they are recorded as ever. */
function withoutLiveLeases(state: State, atMs: number): State {
  const { foldsCase, rules, leases } = state.book;
  const over = [...leases.values()].filter((lease) => lease.expires_at_ms <= atMs);
  return { ...state, book: bookOf(foldsCase, rules, over) };
}

/** The true rules on another state, where a lease is asked for or waited for. */
function onQueueing(change: (state: State, atMs: number) => State): typeof decide {
  return (state, submission, atMs) => {
    const { kind } = submission.command;
    const isIt = kind === "lease.acquire" || kind === "place.keep";
    return decide(isIt ? change(state, atMs) : state, submission, atMs);
  };
}

function withQueue(state: State, fields: Partial<Queue>): State {
  return { ...state, book: { ...state.book, queue: { ...state.book.queue, ...fields } } };
}

/** Only some of those who wait. */
function withPlaces(state: State, isKept: (place: Place) => boolean): State {
  const { queue } = state.book;
  const others = [...queue.places.values()].filter((place) => !isKept(place));
  return withQueue(
    state,
    others.reduce((left, { id }) => dropPlace(left, id), queue),
  );
}

/** Whoever has not kept his place up has it all the same, as long as nobody has said otherwise. */
function withoutEnds(state: State, atMs: number): State {
  const { queue } = state.book;
  const over = [...queue.places.values()].filter(({ until_ms }) => until_ms <= atMs);
  return withQueue(
    state,
    over.reduce((all, place) => putPlace(all, { ...place, until_ms: atMs + 1 }), queue),
  );
}

/** Whoever is observed has been silent twice as long as anybody saw. */
function asSilent(submission: Submission): Submission {
  const { command } = submission;
  if (command.kind !== "worker.observe") return submission;
  const { silent_ms, watched_ms } = command.data;
  const data = { ...command.data, silent_ms: 2 * silent_ms, watched_ms: 2 * watched_ms };
  return { ...submission, command: { ...command, data } };
}

function withMoreSlots(state: State): State {
  const { book } = state;
  const lanes = book.rules.lanes.map((lane) =>
    lane.slots === undefined ? lane : { ...lane, slots: lane.slots + 1 },
  );
  return { ...state, book: withRules(book, { ...book.rules, lanes }) };
}

function withoutBounds(state: State): State {
  const unbounded = [...state.workers].map(
    ([id, worker]) => [id, { ...worker, regions: ["*:**"] }] as const,
  );
  return { ...state, workers: OrderedMap.fromEntries(unbounded) };
}

/** The hour, or where a lease that is renewed is over, the last one at which it was not. */
function beforeEnd(state: State, { command }: Submission, atMs: number): number {
  if (command.kind !== "lease.renew") return atMs;
  const endMs = state.book.leases.get(command.data.lease)?.expires_at_ms ?? Infinity;
  return Math.max(state.at_ms, Math.min(atMs, endMs - 1));
}

function isNearAnEnd({ book }: State, atMs: number): boolean {
  return [...book.leases.values()].some(({ expires_at_ms }) => {
    return expires_at_ms > atMs && expires_at_ms <= atMs + TOO_EARLY_MS;
  });
}

/** Whoever acts on a lease, where an operator speaks for him, is taken for its holder. */
function asHolder(state: State, submission: Submission): Submission {
  const { command, actor } = submission;
  if (actor.kind !== "operator") return submission;
  if (command.kind !== "lease.renew" && command.kind !== "lease.release") return submission;
  const holder = state.book.leases.get(command.data.lease)?.holder;
  if (holder === undefined) return submission;
  const { data } = command;
  const claimed = { ...command, data: { ...data, claim: holder } } as typeof command;
  return { ...submission, command: claimed };
}

function withoutFence(submission: Submission): Submission {
  const { command } = submission;
  if (!("fence" in command.data)) return submission;
  const { fence: _, ...data } = command.data;
  return { ...submission, command: { ...command, data } as typeof command };
}
