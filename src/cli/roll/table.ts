import type { RollStatus } from "../../kernel/roster/sighting.ts";
import type { InstanceRow, NameRow, RollDocument } from "../../ports/bus.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { agoText, durationText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";

/** From which difference on a sender's clock is worth a word, ms. */
const SKEW_MS = 2_000;

/** One line of the table: a name, an instance of it, or both where it has one. */
interface Line {
  readonly name: NameRow;
  readonly instance: InstanceRow | undefined;
  readonly isFirst: boolean;
}

/** The roll for people. */
export function rollText(
  roll: RollDocument,
  so: { readonly isColour: boolean; readonly widthMax: number | undefined },
): string {
  const colours = coloursFor(so.isColour);
  const { expected, unexpected, workers } = roll.sections;
  const parts = [tableOf(expected, roll, { ...so, colours })];
  const others = [
    ["not expected by the roster:", unexpected],
    ["workers of other names:", workers],
  ] as const;
  for (const [title, rows] of others)
    if (rows.length > 0) parts.push("", title, tableOf(rows, roll, { ...so, colours }));
  const { truncated } = roll.counts;
  if (truncated > 0) parts.push(`and ${countText(truncated, "worker")} more`);
  if (!roll.bus.up) parts.push("", colours.yellow(roll.bus.why));
  else if (roll.bus.lost > 0)
    parts.push("", `${countText(roll.bus.lost, "message")} lost by slow readers of the bus`);
  return parts.join("\n");
}

function tableOf(
  names: readonly NameRow[],
  roll: RollDocument,
  so: { readonly colours: Colours; readonly widthMax: number | undefined },
): string {
  const { colours, widthMax } = so;
  const rows = names.flatMap(linesOf);
  return tableText<Line>({
    headStyle: colours.dim,
    rows,
    ...(widthMax === undefined ? {} : { widthMax }),
    columns: [
      { head: "NAME", cell: ({ name, isFirst }) => (isFirst ? colours.cyan(name.name) : "") },
      { head: "INSTANCE", cell: ({ instance }) => instance?.instance ?? "" },
      {
        head: "STATUS",
        cell: ({ name, instance }) => statusText((instance ?? name).status, colours),
      },
      {
        head: "HEARD",
        cell: ({ instance }) => heardText(instance, roll.at_ms),
        isRight: true,
      },
      {
        head: "EVERY",
        cell: ({ name, instance }) => durationText((instance ?? name).every_ms),
        isRight: true,
        spare: 2,
      },
      { head: "NOTE", cell: (line) => noteText(line, colours), spare: 1 },
    ],
  });
}

/** One line where name and instance say the same; else one for the name, and one for each. */
function linesOf(name: NameRow): readonly Line[] {
  const [only, second] = name.instances;
  if (only === undefined) return [{ name, instance: undefined, isFirst: true }];
  if (second === undefined && only.status === name.status)
    return [{ name, instance: only, isFirst: true }];
  return [
    { name, instance: undefined, isFirst: true },
    ...name.instances.map((instance) => ({ name, instance, isFirst: false })),
  ];
}

const PAINT: Readonly<Record<RollStatus, keyof Colours>> = {
  ok: "green",
  stale: "red",
  unknown: "yellow",
  stopping: "yellow",
  stopped: "dim",
};

function statusText(status: RollStatus, colours: Colours): string {
  return colours[PAINT[status]](status);
}

function heardText(instance: InstanceRow | undefined, nowMs: number): string {
  if (instance === undefined || instance.last_heard_at_ms === null) return "";
  return agoText(nowMs - (instance.age_ms ?? nowMs - instance.last_heard_at_ms), nowMs);
}

function noteText({ name, instance }: Line, colours: Colours): string {
  if (instance === undefined) return plainText(name.why);
  const { skew_ms: skew = 0, progress, progress_age_ms: still = 0, stuck } = instance;
  const notes = [
    ...(instance.status === "ok" ? [] : [plainText(instance.why)]),
    ...(stuck === true ? [colours.yellow(`no progress for ${durationText(still)}`)] : []),
    ...(progress === undefined || stuck === true ? [] : [`progress ${progress}`]),
    ...(Math.abs(skew) > SKEW_MS ? [colours.yellow(`clock off by ${durationText(-skew)}`)] : []),
  ];
  return notes.join(", ");
}
