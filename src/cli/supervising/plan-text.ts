import type { DoneView } from "../../library/supervision/options.ts";
import type { PlannedAction, SupervisionPlan } from "../../library/supervision/plan.ts";
import { holderWithName } from "../ground/lease-said.ts";
import type { Colours } from "../text/colour.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";

const holderCharsMax = 32;

/** What a plan says: how it stands, then a line for each action, and for each lane left out. */
export function planText(plan: SupervisionPlan, colours: Colours): string {
  const { outcome, target, aliveCount, reachableCount, actions, passed } = plan;
  const reach = reachableCount < target ? `; these lanes hold ${reachableCount} at once` : "";
  const head = `${outcome.replaceAll("_", " ")}: ${aliveCount} alive of ${target}${reach}`;
  const rows = [
    ...actions.map((action) => ({ what: WORDS[action.kind], ...rowOf(action) })),
    ...passed.map(({ lane, because }) => ({ what: "pass over", who: `lane ${lane}`, because })),
  ];
  if (rows.length === 0) return head;
  const table = tableText({
    headStyle: colours.dim,
    rows,
    columns: [
      { head: "ACTION", cell: ({ what }) => what },
      { head: "WHO", cell: ({ who }) => colours.cyan(who) },
      { head: "BECAUSE", cell: ({ because }) => plainText(because) },
    ],
  });
  return `${head}\n${table}`;
}

const WORDS: Readonly<Record<PlannedAction["kind"], string>> = {
  hold: "let be",
  flag: "look at",
  reap: "stop",
  propose_halt: "propose halt",
  start: "start on",
};

function rowOf(action: PlannedAction): { readonly who: string; readonly because: string } {
  if (action.kind === "start") return { who: `lane ${action.lane}`, because: action.because };
  const { seen, because } = action;
  const who = shortText(nameWithId(seen.holder, seen.name), holderCharsMax);
  return { who, because: `${seen.verdict}: ${because}` };
}

/** A worker with its name, as elsewhere; an outside party by its name alone. */
export function nameWithId(holder: string, name: string | null): string {
  return holderWithName(holder, () => name ?? undefined);
}

/** One action that was carried out, or why it was not. */
export function doneText({ kind, holder, name, lane, outcome, because }: DoneView): string {
  const who = nameWithId(holder ?? "nobody", name);
  const where = lane === null ? "" : ` for lane ${lane}`;
  const what = outcome === "skipped" ? "skipped: " : "";
  return `stint: ${kind.replaceAll("_", " ")} ${who}${where}: ${what}${plainText(because)}`;
}
