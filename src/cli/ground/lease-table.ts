import type { Named } from "../../library/explain/words.ts";
import type { LeaseView } from "../../library/lease/view.ts";
import type { Call } from "../call.ts";
import { coloursFor } from "../text/colour.ts";
import { durationText } from "../text/duration.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";
import { holderWithName, patternsText, statusText } from "./lease-said.ts";
import { isLapsing } from "./leases.ts";

/** How much of a region or a holder is shown in a table in a terminal, characters. */
const groundCharsMax = 48;
const holderCharsMax = 32;

/** Lays leases out for people; in a terminal only as wide as it is. */
export function leaseTable(
  call: Pick<Call, "isColour" | "isOutTerminal" | "columns">,
  leases: readonly LeaseView[],
  { isAll = false, named }: { readonly isAll?: boolean; readonly named: Named },
): string {
  const nowMs = Date.now();
  const colours = coloursFor(call.isColour);
  // A program that reads it, or a file, has room for all.
  const cut = (text: string, charsMax: number): string =>
    call.isOutTerminal ? shortText(text, charsMax) : text;
  return tableText({
    headStyle: colours.dim,
    rows: leases,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "LEASE", cell: ({ id }) => colours.cyan(id) },
      { head: "HOLDER", cell: (lease) => cut(holderOf(lease, named), holderCharsMax) },
      {
        head: "STATUS",
        cell: (lease) =>
          isAll || lease.orphaned || isLapsing(lease) ? statusText(lease, colours) : "",
      },
      { head: "MODE", cell: ({ mode, alone }) => (alone ? `${mode}, alone` : mode) },
      { head: "GROUND", cell: (lease) => cut(groundOf(lease), groundCharsMax) },
      { head: "OF", cell: ({ lender }) => lender ?? "", spare: 2 },
      { head: "WORKTREE", cell: ({ worktree }) => plainText(worktree ?? ""), spare: 3 },
      { head: "FENCE", cell: ({ fence }) => String(fence), isRight: true, spare: 1 },
      {
        head: "EXPIRES IN",
        cell: ({ isLive, expiresAtMs }) =>
          isLive ? durationText(Math.max(0, expiresAtMs - nowMs)) : "",
        isRight: true,
      },
    ],
  });
}

function holderOf({ holder, holderKind }: LeaseView, named: Named): string {
  return holderWithName(holder, holderKind === "worker" ? named : undefined);
}

function groundOf(lease: LeaseView): string {
  return lease.lane === null ? patternsText(lease) : `lane ${plainText(lease.lane)}`;
}
