import type { JsonObject } from "../../kernel/json.ts";
import type { Lane } from "../../kernel/lane/lane.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { namesIn, type Named } from "../../library/explain/words.ts";
import type { LeaseView } from "../../library/lease/view.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { HOLDER_HELP, RUN_ID_OPTION } from "../ground/acquiring.ts";
import { holderOption, laneOption, textOption } from "../ground/asked.ts";
import { readAnnouncements, type Announcement } from "../ground/announcements.ts";
import { atDesk } from "../ground/desk.ts";
import { documentOf, holderWithName } from "../ground/lease-said.ts";
import { liveIn } from "../ground/leases.ts";
import { coloursFor } from "../text/colour.ts";
import { agoText, durationText } from "../text/duration.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const list: Verb = {
  name: "lane ls",
  summary: "List the lanes, who holds them, and who is about to",
  details:
    "Lists the lanes that are enacted in their order: how many of their slots are held, by whom " +
    "and until when, their other names, and who has announced work on them of late. Lanes are " +
    "enacted from stint.toml by `stint contract enact`.",
  examples: ["stint lane ls", "stint lane ls --json"],
  run: runList,
};

const announce: Verb = {
  name: "lane announce",
  summary: "Say that somebody is about to work on a lane",
  details:
    "Records and shows who is about to work on a lane. It holds nothing and is in nobody's way." +
    `\n\n${HOLDER_HELP}`,
  parameters: "<lane>",
  options: [
    {
      flags: "--holder <holder>",
      description: "who is about to work on it",
      parse: holderOption("--holder"),
    },
    {
      flags: "--note <text>",
      description: "what is to be done",
      parse: textOption("--note", LIMITS.noteBytesMax),
    },
    RUN_ID_OPTION,
  ],
  examples: ["stint lane announce api --holder alice --note 'moving the handlers'"],
  isForWorkers: true,
  run: runAnnounce,
};

/** The verbs about lanes. */
export const VERBS: readonly Verb[] = [list, announce];

/** A lane with what is known of it now. */
interface Row {
  readonly lane: Lane;
  readonly leases: readonly LeaseView[];
  readonly announcements: readonly Announcement[];
}

async function runList(call: Call): Promise<Said> {
  const reading = await call.read();
  const { state, seq, nowMs } = reading;
  const { lanes } = state.book.rules;
  const live = liveIn(reading);
  const names = lanes.map(({ name }) => name);
  const announced = await readAnnouncements(call, state, names);
  const rows: readonly Row[] = lanes.map((lane) => ({
    lane,
    leases: live.filter((lease) => lease.lane === lane.name),
    announcements: announced.get(lane.name) ?? [],
  }));
  const none =
    "no lanes are enacted; `stint contract enact` does so from [lanes.NAME] of stint.toml";
  const text = rows.length === 0 ? none : textOf(call, rows, { nowMs, named: namesIn(state) });
  return { data: { lanes: rows.map(documentOfLane) }, text, seq };
}

function documentOfLane({ lane, leases, announcements }: Row): JsonObject {
  const { name, region, slots = null, alone = false, aliases = [], description = null } = lane;
  return {
    name,
    region: [...region],
    slots,
    slots_held: slots === null ? null : leases.filter(({ mode }) => mode === "slot").length,
    alone,
    aliases: [...aliases],
    description,
    leases: leases.map(documentOf),
    announcements: announcements.map((one) => ({ ...one })),
  };
}

const regionCharsMax = 40;

function textOf(
  call: Call,
  rows: readonly Row[],
  { nowMs, named }: { readonly nowMs: number; readonly named: Named },
): string {
  const colours = coloursFor(call.isColour);
  const table = tableText({
    headStyle: colours.dim,
    rows,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "LANE", cell: ({ lane }) => colours.cyan(lane.name) },
      { head: "SLOTS", cell: slotsText },
      { head: "HELD BY", cell: ({ leases }) => holdersText(leases, nowMs) },
      { head: "ALSO", cell: ({ lane }) => (lane.aliases ?? []).join(" "), spare: 2 },
      { head: "ALONE", cell: ({ lane }) => (lane.alone === true ? "alone" : ""), spare: 3 },
      {
        head: "REGION",
        cell: ({ lane }) => shortText(plainText(lane.region.join(" ")), regionCharsMax),
        spare: 1,
      },
    ],
  });
  const said = rows.flatMap(({ lane, announcements }) =>
    announcements.map(({ holder, note, worker, at_ms }) => {
      const what = note === null ? "" : `: ${plainText(note)}`;
      const who = worker === null ? "" : `: ${holderWithName(worker, named)}`;
      const when = agoText(at_ms, nowMs);
      return `${lane.name}: announced by ${plainText(holder)} ${when}${what}${who}`;
    }),
  );
  return [table, ...said].join("\n");
}

function slotsText({ lane, leases }: Row): string {
  if (lane.slots === undefined) return "";
  return `${leases.filter(({ mode }) => mode === "slot").length} of ${lane.slots}`;
}

function holdersText(leases: readonly LeaseView[], nowMs: number): string {
  return leases
    .map(({ holder, mode, expiresAtMs }) => {
      const how = mode === "shared" ? ", shared" : "";
      const left = durationText(Math.max(0, expiresAtMs - nowMs));
      return `${shortText(plainText(holder), 24)} (${left}${how})`;
    })
    .join(", ");
}

async function runAnnounce(call: Call, { parameters, options }: Given): Promise<Said> {
  const lane = laneOption("LANE")(String(parameters[0]));
  const typed = options as {
    readonly holder?: string;
    readonly note?: string;
    readonly runId?: string;
  };
  return atDesk(call, async (desk) => {
    const holder = typed.holder ?? desk.self;
    if (holder === null)
      throw new InputError("usage", [
        { path: "--holder", expected: "who is about to work on the lane", got: "nothing" },
      ]);
    const who = await desk.findWho(holder, "--holder");
    const { note, runId } = typed;
    const data = {
      lane,
      holder: "worker" in who ? who.worker : who.name,
      ...(note === undefined ? {} : { note }),
      ...(runId === undefined ? {} : { run_id: runId }),
    };
    const { seq } = await desk.give({ kind: "lane.announce", data });
    return { data: { lane, holder: data.holder }, text: `announced at entry ${seq}`, seq };
  });
}
