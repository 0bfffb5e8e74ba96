// What is said of places in the queue for ground: what was asked, what happened, what that rests
// on, and what would have made a refusal pass.

import type { CommandKind, CommandMap } from "../../kernel/command.ts";
import type { EventKind, EventMap } from "../../kernel/event.ts";
import { placeOf } from "../../kernel/queue/queue.ts";
import type { State } from "../../kernel/state.ts";
import type { Facts, RefusedCase } from "./facts.ts";
import { claimWords, holderWords, regionWords } from "./lease-words.ts";
import { instantWords, listWords, quoted, spanWords, type Named } from "./words.ts";

type Noun = `place.${string}`;

type Asked = {
  readonly [K in Extract<CommandKind, Noun>]: (data: CommandMap[K], named: Named) => string;
};

type Happened = {
  readonly [K in Extract<EventKind, Noun>]: (data: EventMap[K], named: Named) => string;
};

type Grounds = {
  readonly [K in Extract<EventKind, Noun>]: (
    data: EventMap[K],
    so: { readonly state: State; readonly atMs: number; readonly named: Named },
  ) => string;
};

/** What was asked about places, to go on from "… asked". */
export const ASKED_OF_PLACES: Asked = {
  "place.keep": ({ place, claim }, named) =>
    `whether it is the turn of ${place}, and for the lease then, as ${claimWords(claim, named)}`,
  "place.leave": ({ place, claim }, named) => `to leave ${place} as ${claimWords(claim, named)}`,
  "place.cancel": ({ place, reason }) =>
    `to end the waiting in ${place}, giving as the reason ${quoted(reason)}`,
};

const LAPSE_WORDS: Readonly<Record<EventMap["place.lapsed"]["cause"], string>> = {
  deadline: "its time was up before the ground was free",
  unkept: "nobody kept it up",
  cancelled: "an operator had ended the waiting",
};

/** What happened to places, a sentence each without its full stop. */
export const HAPPENED_TO_PLACES: Happened = {
  "place.queued": ({ holder, grounds, deadline_ms }, named) =>
    `${holderWords(holder, named)} waits for ${groundsWords(grounds)}, until ` +
    `${instantWords(deadline_ms)} at the latest`,
  "place.kept": ({ place, until_ms }) => `place ${place} is kept until ${instantWords(until_ms)}`,
  "place.left": ({ place, cause, reason }) =>
    cause === "operator"
      ? `an operator ended the waiting in ${place}: ${reason ?? ""}`
      : `place ${place} was left by its holder`,
  "place.lapsed": ({ place, cause }) => `place ${place} is forgotten: ${LAPSE_WORDS[cause]}`,
};

/** What a decision about places rests on. */
export const GROUNDS_OF_PLACES: Grounds = {
  "place.queued": ({ ask, holder }, { named }) =>
    `${holderWords(holder, named)} may have the ground, somebody else has it or came first, and ` +
    "its request said that it waits; nobody for whom it waits waits for it, and whoever comes " +
    "later on the same ground does not pass it" +
    (ask.key === undefined ? "" : `; its key is ${quoted(ask.key)}`),
  "place.kept": ({ place, until_ms }, { state }) => {
    const before = placeOf(state.book.queue, place)?.until_ms ?? until_ms;
    return (
      `its holder is still there: it asked before the place's end, ${instantWords(before)}; what ` +
      "it waits for is not free for it yet"
    );
  },
  "place.left": ({ cause }) =>
    cause === "operator"
      ? "an operator may end anybody's waiting at any time"
      : "whoever waits may stop waiting, or has what it waited for by another way",
  "place.lapsed": ({ place }, { state, atMs }) =>
    `it ended at ${instantWords(placeOf(state.book.queue, place)?.until_ms ?? atMs)}, from then ` +
    "on " +
    "it kept nobody from the ground, and whoever waited in it has had time to be told",
};

/** A sentence for each code that is about waiting alone. */
export const PLACE_REMEDIES = {
  wait_deadlock: (facts: Facts) =>
    `it would have passed once one of ${circleWords(facts)} had given back what the next one ` +
    "waits for, or on ground that none of them has",
  wait_timeout: (facts: Facts) =>
    "it would have passed had the ground been free within " +
    `${spanWords(facts.number("waited_ms"))}, or with a longer wait`,
  place_ended: (facts: Facts) =>
    facts.has("cancelled")
      ? `it would have passed had no operator ended the waiting: ${facts.text("cancelled")}`
      : `it would have passed from whoever keeps ${facts.text("place")} up in time; now only a ` +
        "new " +
        "request helps",
  queue_full: (facts: Facts) =>
    `it would have passed once fewer than ${facts.number("max")} waited`,
} satisfies Readonly<Record<string, (facts: Facts, so: RefusedCase) => string>>;

/** What would have helped where somebody who waits came first. */
export function passingRemedy(facts: Facts): string {
  const narrower = facts.has("witness")
    ? `, or on ground without what that waits for; ${quoted(facts.text("witness"))} is in both`
    : "; one of the two is to run alone in the fleet";
  const whose = facts.text("own") === "true" ? "its own " : "";
  return (
    `it would have passed once ${whose}${facts.text("place")} of ` +
    `${quoted(facts.text("holder"))}, ` +
    `which came first, had been served or left; with \`--wait\` it takes its place behind it` +
    narrower
  );
}

function groundsWords(grounds: EventMap["place.queued"]["grounds"]): string {
  const each = grounds.map(({ lane, region, mode }) => {
    return `${lane === null ? regionWords(region) : `lane ${quoted(lane)}`} as ${mode}`;
  });
  return each.length === 1 ? String(each[0]) : `one of ${listWords(each)}`;
}

function circleWords(facts: Facts): string {
  return listWords(facts.list("holders").map(quoted));
}
