// What is said of leases and lanes: what was asked, what happened, and what that rests on.

import type { CommandKind, CommandMap } from "../../kernel/command.ts";
import type { EventKind, EventMap } from "../../kernel/event.ts";
import { withoutWorktree } from "../../kernel/ground/worktree.ts";
import type { Claim, Holder } from "../../kernel/lease/lease.ts";
import type { State } from "../../kernel/state.ts";
import { grantGrounds, handOverGrounds } from "./grant-grounds.ts";
import { instantWords, listWords, quoted, workerWords, type Named } from "./words.ts";

type Noun = `lease.${string}` | `lane.${string}` | `lanes.${string}`;

type Asked = {
  readonly [K in Extract<CommandKind, Noun>]: (data: CommandMap[K], named: Named) => string;
};

type Happened = {
  readonly [K in Extract<EventKind, Noun>]: (data: EventMap[K], named: Named) => string;
};

/** An event about leases, and what it was decided on. */
interface Decided {
  readonly state: State;
  readonly atMs: number;
  readonly named: Named;
}

type Grounds = {
  readonly [K in Extract<EventKind, Noun>]: (data: EventMap[K], so: Decided) => string;
};

/** What was asked about leases and lanes, to go on from "… asked". */
export const ASKED_OF_LEASES: Asked = {
  "lanes.enact": ({ lanes }) => `to put ${countWords(lanes.length, "lane")} in force`,
  "lane.announce": ({ lane, holder }, named) =>
    `to announce that ${nameWords(holder, named)} is about to work on lane ${quoted(lane)}`,
  "lease.acquire": (data, named) =>
    `for a lease of ${groundWords(data)} for ${holderWords(data.holder, named)}` +
    `${data.mode === undefined ? "" : `, as ${data.mode}`}, for ${data.ttl_ms} ms` +
    (data.key === undefined ? "" : `, under the key ${quoted(data.key)}`) +
    (data.wait_ms === undefined ? "" : `, waiting up to ${data.wait_ms} ms`),
  "lease.renew": ({ lease, claim }, named) => `to renew ${lease} as ${claimWords(claim, named)}`,
  "lease.release": ({ lease, claim }, named) =>
    `to release ${lease} as ${claimWords(claim, named)}`,
  "lease.narrow": ({ lease, claim, region }, named) =>
    `to narrow ${lease} to ${regionWords(region)} as ${claimWords(claim, named)}`,
  "lease.split": ({ lease, claim, region, to }, named) =>
    `to lend ${regionWords(region)} of ${lease} to ${workerWords(to, named)} as ` +
    claimWords(claim, named),
  "lease.hand_over": ({ lease, claim, orphan, to }, named) =>
    `to hand ${lease} over to ${holderWords(to, named)} ` +
    (orphan === true ? "as an orphan" : `as ${claimWords(claim ?? {}, named)}`),
  "lease.revoke": ({ lease, reason }) =>
    `to revoke ${lease}, giving as the reason ${quoted(reason)}`,
  "lease.mount": ({ lease, worker }, named) =>
    `to let the sandbox of ${workerWords(worker, named)} mount the folders of ${lease}`,
  "lease.fence": ({ lease, worker }, named) =>
    `to record that nothing of ${workerWords(worker, named)} can write to what was mounted for ` +
    lease,
};

/** What happened to leases and lanes, a sentence each without its full stop. */
export const HAPPENED_TO_LEASES: Happened = {
  "lanes.enacted": ({ lanes, worktrees, require }) =>
    `${countWords(lanes.length, "lane")} ${lanes.length === 1 ? "was" : "were"} put in force` +
    `${lanes.length === 0 ? "" : `, ${listWords(lanes.map(({ name }) => quoted(name)))}`}; ` +
    (worktrees === "own_ground"
      ? "each worktree has ground of its own"
      : "worktrees share one ground") +
    (require ? ", and writing needs a lease" : ""),
  "lane.announced": ({ lane, holder, note }, named) =>
    `lane ${quoted(lane)} is about to be worked on by ${nameWords(holder, named)}` +
    (note === undefined ? "" : `: ${note}`),
  "lease.granted": (data, named) =>
    `a lease of ${grantedWords(data)} was given to ${holderWords(data.holder, named)}, as ` +
    `${data.mode}, until ${instantWords(data.expires_at_ms)}` +
    (data.widened_from === undefined
      ? ""
      : `, widened to whole folders from ${regionWords(data.widened_from)}`) +
    (data.lender === undefined ? "" : `, lent of ${data.lender}`) +
    (data.place === undefined ? "" : `, which had waited in ${data.place}`),
  "lease.renewed": ({ lease, expires_at_ms }) =>
    `lease ${lease} was renewed until ${instantWords(expires_at_ms)}`,
  "lease.narrowed": ({ lease, region }) => `lease ${lease} was narrowed to ${regionWords(region)}`,
  "lease.handed_over": ({ lease, from, to, orphan, expires_at_ms }, named) =>
    `lease ${lease} went from ${nameWords(from, named)}${orphan ? ", which had ended," : ""} to ` +
    `${holderWords(to, named)}, until ${instantWords(expires_at_ms)}`,
  "lease.released": ({ lease, cause }) =>
    cause === "completed"
      ? `lease ${lease} was given back, for its worker had ended as it should`
      : `lease ${lease} was released by its holder`,
  "lease.revoked": ({ lease, reason, with: lender }) =>
    `lease ${lease} was revoked` +
    `${lender === undefined ? "" : ` with ${lender}, which it was lent of`}: ${reason}`,
  "lease.lapsed": ({ lease }) => `lease ${lease} lapsed`,
  "lease.mounted": ({ lease, worker, region }, named) =>
    `${regionWords(withoutWorktree(region))} of lease ${lease} is mounted in the sandbox of ` +
    workerWords(worker, named),
  "lease.fenced": ({ lease, worker, region, waited_ms, was_frozen }, named) =>
    `${regionWords(withoutWorktree(region))}, mounted for ${lease}, was taken from ` +
    `${workerWords(worker, named)} after ${waited_ms} ms${was_frozen ? ", frozen meanwhile" : ""}`,
};

/** What a decision about leases and lanes rests on. */
export const GROUNDS_OF_LEASES: Grounds = {
  "lanes.enacted": () =>
    "an operator may put lanes in force at any time when each has a name of its own and a region " +
    "that can be decided; leases stay as they were granted",
  "lane.announced": () =>
    "an announcement of a lane in force is recorded and shown; it holds nothing",
  "lease.granted": (data, so) => grantGrounds(data, so),
  "lease.renewed": ({ lease, expires_at_ms }, { state }) => {
    const before = state.book.leases.get(lease)?.expires_at_ms ?? expires_at_ms;
    return (
      `its holder asked before its end, ${instantWords(before)}, and moves it by ` +
      `${expires_at_ms - before} ms`
    );
  },
  "lease.narrowed": ({ lease }, { state }) =>
    `its holder asked, and the region lies in what it had, ` +
    regionWords(state.book.leases.get(lease)?.region ?? []),
  "lease.handed_over": (data, so) => handOverGrounds(data, so),
  "lease.released": ({ cause }) =>
    cause === "completed"
      ? "a worker that ends as completed is done with its ground"
      : "a holder may release its lease at any time",
  "lease.revoked": ({ with: lender }) =>
    lender === undefined
      ? "an operator may revoke a lease at any time"
      : `what is lent ends with ${lender} when that is revoked`,
  "lease.lapsed": ({ lease }, { state, atMs }) =>
    `its time ended at ${instantWords(state.book.leases.get(lease)?.expires_at_ms ?? atMs)}, and ` +
    `nobody had moved its end by ${instantWords(atMs)}`,
  "lease.mounted": () =>
    "the lease was live and its holder's, and nothing else was mounted for it; until it is " +
    "fenced it counts as occupied, whatever becomes of the lease",
  "lease.fenced": () =>
    "its supervisor saw the kernel make the mount read-only, which it does only when nothing has " +
    "a file there open for writing; others may have the ground now",
};

function grantedWords({ lane, region, alone, worktree }: EventMap["lease.granted"]): string {
  const patterns = worktree === undefined ? region : withoutWorktree(region);
  const ground = lane === undefined ? regionWords(patterns) : `lane ${quoted(lane)}`;
  const where = worktree === undefined ? "" : ` of worktree ${quoted(worktree)}`;
  return `${ground}${where}${alone === true ? ", which runs alone" : ""}`;
}

/** The ground that is asked for. */
function groundWords({ region, lanes = [] }: CommandMap["lease.acquire"]): string {
  if (region !== undefined) return regionWords(region);
  const names = lanes.map(quoted);
  return names.length === 1 ? `lane ${String(names[0])}` : `one of the lanes ${listWords(names)}`;
}

/** How many patterns are shown of a region. */
const patternsShown = 4;

/** A region for people: a few of its patterns. */
export function regionWords(region: readonly string[]): string {
  const shown = region.slice(0, patternsShown).map(quoted);
  const more = region.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : listWords(shown);
}

/** A holder for people. */
export function holderWords(holder: Holder, named: Named): string {
  return "worker" in holder ? workerWords(holder.worker, named) : quoted(holder.name);
}

/** A holder by its recorded name: a worker where the name is an id that is known. */
function nameWords(name: string, named: Named): string {
  return named(name) === undefined ? quoted(name) : workerWords(name, named);
}

/** Who somebody says to be, for people. */
export function claimWords(claim: Claim, named: Named): string {
  if ("worker" in claim) return workerWords(claim.worker, named);
  const who = claim.name === undefined ? "whoever" : quoted(claim.name);
  return `${who} with ${claim.token_hash === undefined ? "no token" : "a token"}`;
}

function countWords(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
