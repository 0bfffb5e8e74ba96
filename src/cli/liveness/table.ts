import type { Verdict } from "../../kernel/progress/verdict.ts";
import type { LivenessView } from "../../library/liveness/view.ts";
import type { Call } from "../call.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { durationText, instantText } from "../text/duration.ts";
import { plainText, shortText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { pairsText, tableText } from "../text/table.ts";

const holderCharsMax = 24;

/** Who gets anywhere, one a line, with what it rests on. */
export function livenessTable(call: Call, views: readonly LivenessView[]): string {
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: views,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "HOLDER", cell: ({ holder }) => colours.cyan(shown(holder)) },
      { head: "NAME", cell: ({ name }) => shown(name ?? ""), spare: 3 },
      { head: "VERDICT", cell: ({ verdict }) => paint(colours, verdict) },
      { head: "BECAUSE", cell: ({ because }) => because },
      { head: "AGE", cell: ({ ageMs }) => spanText(ageMs), isRight: true, spare: 2 },
      { head: "PROGRESS", cell: ({ progressAgeMs }) => spanText(progressAgeMs), isRight: true },
      { head: "BEAT", cell: ({ beatAgeMs }) => spanText(beatAgeMs), isRight: true, spare: 4 },
      { head: "LEASES", cell: ({ leases }) => leasesText(leases), spare: 1 },
    ],
  });
}

/** All that is known of one, a line for each thing there is to say. */
export function livenessPortrait(call: Call, view: LivenessView): string {
  const colours = coloursFor(call.isColour);
  const { progress, commits, leases, idleMs, haltDue } = view;
  const what = progress === null ? "none since it began" : plainText(progress.what);
  const kind = progress === null ? "" : `${progress.kind.replaceAll("_", " ")}: `;
  const pairs: readonly (readonly [string, string | null])[] = [
    ["holder", colours.cyan(plainText(view.holder))],
    ["name", view.name === null ? null : plainText(view.name)],
    ["verdict", `${paint(colours, view.verdict)}: ${view.because}`],
    ["rule", view.rule],
    ["standing", view.standing],
    ["began", view.sinceMs === null ? null : instantWithAge(view.sinceMs, view.ageMs)],
    [
      "own progress",
      progress === null
        ? what
        : `${kind}${what}, ${instantWithAge(progress.atMs, view.progressAgeMs)}` +
          (progress.seq === null ? "" : `, entry ${progress.seq}`),
    ],
    ["idle for", idleMs === null ? null : durationText(idleMs)],
    ["commits", commitsText(commits)],
    ["last beat", beatText(view)],
    ["process", view.holderKind === "outside" ? null : `seen ${view.seen}`],
    ["halt", haltDue ? "due: it has spun for longer than its contract has it" : null],
    ...leases.map((lease) => ["lease", leaseText(lease)] as const),
  ];
  const told = pairs.flatMap(([head, text]) => (text === null ? [] : [[head, text] as const]));
  return pairsText(told, colours.dim);
}

function commitsText({ known, count, futureCount, isCut, problem }: LivenessView["commits"]) {
  if (!known) return problem === null ? null : `not known: ${plainText(problem)}`;
  const future = futureCount === 0 ? "" : `; ${futureCount} dated in the future do not count`;
  const cut = isCut ? "; there are more than were looked at" : "";
  return `${countText(count, "commit")} on its ground${future}${cut}`;
}

function beatText({ holderKind, beatAgeMs, stale }: LivenessView): string | null {
  if (holderKind === "outside") return null;
  if (beatAgeMs === null) return "not known";
  return `${durationText(beatAgeMs)} ago${stale ? "; a watcher has found it silent" : ""}`;
}

function leaseText({ id, lane, mode, fence, heldSinceMs }: LivenessView["leases"][number]) {
  const ground = lane === null ? "" : ` lane ${lane}`;
  return `${id}${ground}, ${mode}, fence ${fence}, held since ${instantText(heldSinceMs)}`;
}

function leasesText(leases: LivenessView["leases"]): string {
  return leases.map(({ id, lane }) => (lane === null ? id : `${id} ${lane}`)).join(", ");
}

function instantWithAge(atMs: number, ageMs: number | null): string {
  return ageMs === null ? instantText(atMs) : `${instantText(atMs)}, ${durationText(ageMs)} ago`;
}

function spanText(ms: number | null): string {
  return ms === null ? "" : durationText(ms);
}

function shown(text: string): string {
  return shortText(plainText(text), holderCharsMax);
}

/** A verdict in its colour: what is well stands out as little as what is not known. */
export function paint(colours: Colours, verdict: Verdict): string {
  if (verdict === "advancing") return colours.green(verdict);
  if (verdict === "unknown") return colours.dim(verdict);
  return verdict === "stalled" ? colours.red(verdict) : colours.yellow(verdict);
}
