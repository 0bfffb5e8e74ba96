import { withoutWorktree } from "../../kernel/ground/worktree.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { DeskAnswer } from "../../library/desk/desk.ts";
import type { Named } from "../../library/explain/words.ts";
import { wireLease, type LeaseView } from "../../library/lease/view.ts";
import type { Call } from "../call.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { agoText, durationText, instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { pairsText } from "../text/table.ts";
import { isLapsing } from "./leases.ts";

/** A lease for programs; the fields are public and only added to. */
export function documentOf(lease: LeaseView): JsonObject {
  const { id: lease_id, ...others } = wireLease(lease);
  return { lease_id: lease_id ?? null, ...others };
}

/** A lease with its token, for whoever holds it from now on. */
export function heldDocument(lease: LeaseView, { token }: Pick<DeskAnswer, "token">): JsonObject {
  return { ...documentOf(lease), token };
}

/** A lease with its token for people: what it is, and what to do with the token. */
export function heldText(
  call: Call,
  lease: LeaseView,
  { token, doing }: Pick<DeskAnswer, "token"> & { readonly doing: string },
): string {
  const { cyan } = coloursFor(call.isColour);
  const lines = [
    `${cyan(lease.id)} ${doing}: ${groundText(lease)}, ${lease.mode}, ${untilText(lease)}`,
  ];
  if (lease.enforced) lines.push(mountedText(lease));
  if (lease.holderKind === "worker") return lines.join("\n");
  lines.push(
    token === null
      ? "its token was shown when it was granted, and is not known here any more"
      : `token ${token}; whoever has it can renew and release the lease`,
  );
  return lines.join("\n");
}

/** What of a lease its holder can write to, where nothing else can be. */
function mountedText({ id, mounted }: LeaseView): string {
  const shown = withoutWorktree(mounted).map(plainText).join(" ");
  return mounted.length === 0
    ? `nothing of it can be written to: it names no whole folder (as src/api/**), or its folder ` +
        `could not be mounted (stint journal tail says why, after ${id})`
    : `can be written to by path: ${shown}; whoever stands there already enters anew (cd "$PWD")`;
}

/** Everything about one lease, a line for each thing there is to say. */
export function portraitText(
  lease: LeaseView,
  { isColour, named }: { readonly isColour: boolean; readonly named: Named },
): string {
  const colours = coloursFor(isColour);
  const { id, fence, mode, lane, alone, takenOver, lender, mounted, worktree, ended } = lease;
  const pairs: readonly (readonly [string, string | null])[] = [
    ["lease", colours.cyan(id)],
    ["fence", String(fence)],
    ["status", standingText(lease, { colours, named })],
    ["holder", holderText(lease, named)],
    ["mode", alone ? `${mode}, alone in the fleet` : mode],
    ["lane", lane],
    ["region", patternsText(lease)],
    ["mounted", mounted.length === 0 ? null : withoutWorktree(mounted).map(plainText).join(" ")],
    ["worktree", worktree],
    ["lent of", lender],
    ["taken over", takenOver === null ? null : takenOverText(takenOver)],
    ["granted", instantText(lease.grantedAtMs)],
    [ended === undefined ? "expires" : "would expire", expiryText(lease)],
    ["ended", ended === undefined ? null : endText(ended)],
    ["key", lease.key === null ? null : plainText(lease.key)],
    ["run", lease.runId === null ? null : plainText(lease.runId)],
  ];
  const shown = pairs.flatMap(([head, text]) => (text === null ? [] : [[head, text] as const]));
  return pairsText(shown, colours.dim);
}

/** The ground of a lease: its lane, else its patterns, and the worktree where that matters. */
export function groundText(lease: LeaseView): string {
  const { lane, worktree } = lease;
  const ground = lane === null ? patternsText(lease) : `lane ${lane}`;
  return worktree === null ? ground : `${ground} of worktree ${plainText(worktree)}`;
}

/** The patterns of a lease as they are asked for, in whatever worktree. */
export function patternsText({ region, worktree }: Pick<LeaseView, "region" | "worktree">): string {
  const patterns = worktree === null ? region : withoutWorktree(region);
  return patterns.map(plainText).join(" ");
}

/** The holder of a lease for people: a worker with its name, where that is known. */
export function holderText(lease: LeaseView, named: Named): string {
  const { orphaned } = lease;
  const shown = holderWithName(lease.holder, lease.holderKind === "worker" ? named : undefined);
  return orphaned ? `${shown} (which has ended)` : shown;
}

/** A holder, and for a worker its name behind its id; `named` is absent for who is none. */
export function holderWithName(holder: string, named?: Named): string {
  const name = named?.(holder);
  return name === undefined ? plainText(holder) : `${plainText(holder)} (${plainText(name)})`;
}

/** Whether a lease gives a right, or what its ground waits for. */
function standingText(
  lease: LeaseView,
  { colours, named }: { readonly colours: Colours; readonly named: Named },
): string {
  const status = statusText(lease, colours);
  if (!isLapsing(lease)) return status;
  return `${status}: mounted until ${holderWithName(lease.holder, named)} is fenced or has ended`;
}

/** Whether a lease gives a right, how it ended, or that its ground is not free for all that. */
export function statusText(lease: LeaseView, colours: Colours): string {
  const { isLive, ended, orphaned } = lease;
  if (isLapsing(lease)) return colours.yellow("lapsing");
  if (ended !== undefined) return colours.dim(ended.how);
  if (!isLive) return colours.dim("lapsed");
  return orphaned ? colours.yellow("orphaned") : colours.green("live");
}

/** Shows what is about to end, for a person to agree to. */
export function affectedText(leases: readonly LeaseView[], named: Named): string {
  const lines = leases.map((lease) => {
    const lent = lease.lender === null ? "" : `, lent of ${lease.lender}`;
    return `  ${lease.id}  ${holderText(lease, named)}: ${groundText(lease)}, ${lease.mode}${lent}`;
  });
  return [`${countText(leases.length, "lease")} will end:`, ...lines].join("\n");
}

/** What follows for the workers of leases whose ground is mounted, when these are revoked. */
export function takenText(
  leases: readonly LeaseView[],
  { named, graceMs }: { readonly named: Named; readonly graceMs: number },
): string {
  return leases
    .map((lease) => {
      const worker = holderWithName(lease.holder, named);
      const ground = withoutWorktree(lease.mounted).map(plainText).join(" ");
      return (
        `${worker} has ${ground} mounted: it is frozen until nothing of it can write there, and ` +
        `ended if it has files open there after ${durationText(graceMs)} (revoke_grace); the ` +
        `ground is free then, not before: \`stint lease show ${lease.id}\``
      );
    })
    .join("\n");
}

function expiryText({ expiresAtMs, ended }: LeaseView): string {
  const at = instantText(expiresAtMs);
  return ended === undefined ? `${at} (${agoText(expiresAtMs, Date.now())})` : at;
}

function endText({ how, atMs, seq, by, reason }: NonNullable<LeaseView["ended"]>): string {
  const whose = by === null ? "" : ` by ${plainText(by)}`;
  const why = reason === null ? "" : `, ${plainText(reason)}`;
  return `${how}${whose}${why}; ${instantText(atMs)}, entry ${seq}`;
}

function untilText({ ttlMs, expiresAtMs }: LeaseView): string {
  return `until ${instantText(expiresAtMs)} (${durationText(ttlMs)})`;
}

function takenOverText({ holder, fence, orphan, atMs }: NonNullable<LeaseView["takenOver"]>) {
  const from = orphan ? `${plainText(holder)}, which had ended` : plainText(holder);
  return `from ${from}, whose fence was ${fence}; ${instantText(atMs)}`;
}
