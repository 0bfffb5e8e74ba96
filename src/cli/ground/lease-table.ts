import type { LeaseView } from "../../library/lease/view.ts";
import type { Call } from "../call.ts";
import { coloursFor } from "../text/colour.ts";
import { durationText } from "../text/duration.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";
import { patternsText, statusText } from "./lease-said.ts";

/** How much of a region or a holder is shown in a table, characters. */
const groundCharsMax = 48;
const holderCharsMax = 32;

/** Lays leases out for people; in a terminal only as wide as it is. */
export function leaseTable(
  call: Pick<Call, "isColour" | "isOutTerminal" | "columns">,
  leases: readonly LeaseView[],
  { isAll = false }: { readonly isAll?: boolean } = {},
): string {
  const nowMs = Date.now();
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: leases,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "LEASE", cell: ({ id }) => colours.cyan(id) },
      { head: "HOLDER", cell: ({ holder }) => shortText(plainText(holder), holderCharsMax) },
      {
        head: "STATUS",
        cell: (lease) => (isAll || lease.orphaned ? statusText(lease, colours) : ""),
      },
      { head: "MODE", cell: ({ mode, alone }) => (alone ? `${mode}, alone` : mode) },
      { head: "GROUND", cell: groundOf },
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

function groundOf(lease: LeaseView): string {
  const text = lease.lane === null ? patternsText(lease) : `lane ${plainText(lease.lane)}`;
  return shortText(text, groundCharsMax);
}
