import type { JsonObject } from "../../kernel/json.ts";
import { isLive } from "../../kernel/state.ts";
import type { Call, Said } from "../call.ts";
import { endWords, rowOf, rowOfView, type Beats, type WorkerRow } from "../roster/row.ts";
import { unwatchedLines } from "../roster/unwatched.ts";
import { inTreeOrder, type Indented } from "../roster/tree.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { agoText, durationText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const workers: Verb = {
  name: "workers",
  summary: "List the live workers",
  details:
    "Lists the live workers with their place in the lineage, how they are, and when they last " +
    "beat. With --all the dead too, and how they ended: that reads the whole journal. The " +
    "budget of each is in the answer of --json: granted, reserved by its children, spent and " +
    "free. A terminal that is too narrow is shown fewer columns.",
  options: [
    { flags: "--tree", description: "children indented below their parents" },
    { flags: "--all", description: "the dead as well" },
  ],
  examples: ["stint workers", "stint workers --tree", "stint workers --all --json"],
  run,
};

/** The verb that lists workers. */
export const VERBS: readonly Verb[] = [workers];

async function run(call: Call, { options }: Given): Promise<Said> {
  const isAll = options["all"] === true;
  const { state, seq, beats, nowMs } = await call.read();
  const rows = isAll ? await listAll(call, beats) : [];
  if (!isAll)
    for (const worker of state.workers.values())
      if (isLive(worker)) rows.push(rowOf(worker, beats));
  const isTree = options["tree"] === true;
  const ordered = isTree
    ? inTreeOrder(rows, ({ id, parent_id: parent }) => ({ id, parent }))
    : rows.map((item) => ({ item, level: 0 }));
  const data: JsonObject = { workers: ordered.map(({ item }) => ({ ...item })) };
  const colours = coloursFor(call.isColour);
  // A file or a program has room for all of it.
  const widthMax = call.isOutTerminal ? call.columns : undefined;
  const text = textOf(ordered, { nowMs, isAll, isTree, colours, widthMax });
  const paused = state.status === "open" ? [] : [`the fleet is ${state.status}`];
  const unwatched = await unwatchedLines(call, state);
  return { data, text: [text, ...paused, ...unwatched].join("\n"), seq };
}

/** Loads the whole library: only the dead need it. */
async function listAll(call: Call, beats: Beats): Promise<WorkerRow[]> {
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const views = await fleet.workers({ all: true });
  return views.map((view) => rowOfView(view, beats));
}

function textOf(
  rows: readonly Indented<WorkerRow>[],
  so: {
    readonly nowMs: number;
    readonly isAll: boolean;
    readonly isTree: boolean;
    readonly colours: Colours;
    /** The width of the terminal that shows it, where one does. */
    readonly widthMax: number | undefined;
  },
): string {
  const { nowMs, isAll, isTree, colours, widthMax } = so;
  if (rows.length === 0)
    return isAll ? "no worker was ever admitted" : "no worker lives; start one: stint run -- CMD…";
  const isOver = ({ item }: Indented<WorkerRow>): boolean => item.status === "stopped";
  return tableText({
    headStyle: colours.dim,
    rows,
    ...(widthMax === undefined ? {} : { widthMax }),
    columns: [
      { head: "WORKER", cell: ({ item, level }) => "  ".repeat(level) + colours.cyan(item.id) },
      { head: "NAME", cell: ({ item }) => plainText(item.name) },
      { head: "STATUS", cell: ({ item }) => statusText(item, colours) },
      { head: "PARENT", cell: ({ item }) => (isTree ? "" : (item.parent_id ?? "")), spare: 4 },
      { head: "PID", cell: ({ item }) => String(item.pid ?? ""), isRight: true, spare: 3 },
      {
        head: "SINCE",
        cell: ({ item }) => agoText(item.admitted_at_ms, nowMs),
        isRight: true,
        spare: 1,
      },
      {
        head: "BEAT",
        spare: 5,
        cell: ({ item }) =>
          item.last_beat_at_ms === null ? "" : agoText(item.last_beat_at_ms, nowMs),
        isRight: true,
      },
      {
        head: "LEFT",
        spare: 2,
        cell: (row) =>
          isOver(row) ? "" : durationText(Math.max(0, row.item.expires_at_ms - nowMs)),
        isRight: true,
      },
    ],
  });
}

function statusText(row: WorkerRow, colours: Colours): string {
  const { status, stale, quarantined, degraded, limits_hit: hits, end } = row;
  const flags = [
    ...(end === null ? [] : endWords(end)),
    ...(stale ? [colours.yellow("stale")] : []),
    ...(quarantined ? [colours.yellow("quarantined")] : []),
    ...(hits.length > 0 ? [colours.yellow(`hit ${hits.map(limitText).join(", ")}`)] : []),
    ...(degraded.length > 0
      ? [colours.dim(countText(degraded.length, "weakness", "weaknesses"))]
      : []),
  ];
  const word = status === "running" ? colours.green(status) : status;
  return [word, ...flags].join(", ");
}

/** What a limit is called, without its unit. */
function limitText({ limit }: WorkerRow["limits_hit"][number]): string {
  return limit.replace(/_(?:bytes|ms)$/, "").replaceAll("_", " ");
}
