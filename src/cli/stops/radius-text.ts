import type { Because, Doomed } from "../../library/worker/blast-radius.ts";
import { inTreeOrder } from "../roster/tree.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";

/** How many workers are shown one by one. */
const shownMax = 20;

const WHY: Readonly<Record<Because, string>> = {
  named: "",
  descendant: "below it",
  orphaned: "loses its parent",
};

/** Shows who would end, for a person to agree to: parents first, the children indented. */
export function radiusText(doomed: readonly Doomed[]): string {
  if (doomed.length === 0) return "no worker would end";
  const shown = inTreeOrder(doomed, (one) => one).slice(0, shownMax);
  const table = tableText({
    rows: shown,
    columns: [
      { head: "WORKER", cell: ({ item, level }) => "  ".repeat(level) + item.id },
      { head: "NAME", cell: ({ item }) => plainText(item.name) },
      { head: "STATUS", cell: ({ item }) => item.status },
      { head: "WHY", cell: ({ item }) => WHY[item.because] },
    ],
  });
  const more = doomed.length - shown.length;
  const rest = more === 0 ? "" : `\nand ${more} more`;
  return `${countText(doomed.length, "worker")} will end:\n${table}${rest}`;
}
