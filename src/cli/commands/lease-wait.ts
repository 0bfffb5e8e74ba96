import type { JsonObject } from "../../kernel/json.ts";
import { namesIn, type Named } from "../../library/explain/words.ts";
import { toWire } from "../../library/names.ts";
import { listWaiting, type PlaceView } from "../../library/queue/view.ts";
import { notAsWorker } from "../as-worker.ts";
import type { Call, Said } from "../call.ts";
import { placeIdText, reasonOption } from "../ground/asked.ts";
import { atDesk } from "../ground/desk.ts";
import { holderWithName, patternsText } from "../ground/lease-said.ts";
import { instantOf } from "../ground/leases.ts";
import { coloursFor } from "../text/colour.ts";
import { durationText } from "../text/duration.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const list: Verb = {
  name: "lease wait-list",
  summary: "List who waits for ground, and for whom",
  details:
    "Lists the places in the queue, whoever came first before the others: who waits, for what, " +
    "since when, how long at the most, and some of those in the way: leases, and places that " +
    "came first. In a paused fleet it is nobody's turn. Whoever waits in a place keeps it up; it " +
    "is nobody's 15 s after that stops.",
  examples: ["stint lease wait-list", "stint lease wait-list --json"],
  run: runList,
};

const cancel: Verb = {
  name: "lease wait-cancel",
  summary: "End somebody's waiting on the operator's word",
  details:
    "Takes a place in the queue from whoever waits in it; that one's call is refused as " +
    "place_ended, with the reason.",
  parameters: "<place>",
  options: [
    {
      flags: "--reason <text>",
      description: "why; it stands in the journal",
      parse: reasonOption,
      isRequired: true,
    },
  ],
  examples: ["stint lease wait-cancel q-17 --reason 'the release goes first'"],
  run: runCancel,
};

/** The verbs about those who wait for ground. */
export const VERBS: readonly Verb[] = [list, cancel];

async function runList(call: Call): Promise<Said> {
  if (call.workerTokenFile !== undefined) throw notAsWorker("lease wait-list", OWN_WAITS);
  const reading = await call.read();
  const nowMs = instantOf(reading);
  const places = listWaiting(reading.state, nowMs);
  const data = { places: places.map(documentOf) };
  const { seq } = reading;
  if (places.length === 0) return { data, text: "nobody waits", seq };
  return { data, text: waitTable(call, places, { named: namesIn(reading.state), nowMs }), seq };
}

const OWN_WAITS = "a worker is told by its own `stint lease acquire --wait` what it waits for";

function documentOf(place: PlaceView): JsonObject {
  const { id, ...others } = toWire(place, "place") as JsonObject;
  return { place: id ?? null, ...others };
}

async function runCancel(call: Call, { parameters, options }: Given): Promise<Said> {
  const place = placeIdText(parameters[0]);
  const reason = String(options["reason"]);
  return atDesk(call, async (desk) => {
    const { seq } = await desk.give({ kind: "place.cancel", data: { place, reason } });
    return { data: { place }, text: `${place} is nobody's any more`, seq };
  });
}

/** How much of a ground or a holder is shown in a table in a terminal, characters. */
const groundCharsMax = 40;
const holderCharsMax = 28;
const behindCharsMax = 40;

function waitTable(
  call: Pick<Call, "isColour" | "isOutTerminal" | "columns">,
  places: readonly PlaceView[],
  { named, nowMs }: { readonly named: Named; readonly nowMs: number },
): string {
  const colours = coloursFor(call.isColour);
  const cut = (text: string, charsMax: number): string =>
    call.isOutTerminal ? shortText(text, charsMax) : text;
  return tableText({
    headStyle: colours.dim,
    rows: places,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "PLACE", cell: ({ id }) => colours.cyan(id) },
      {
        head: "HOLDER",
        cell: ({ holder, holderKind }) =>
          cut(holderWithName(holder, holderKind === "worker" ? named : undefined), holderCharsMax),
      },
      { head: "GROUND", cell: ({ grounds }) => cut(groundsText(grounds), groundCharsMax) },
      { head: "BEHIND", cell: (place) => cut(behindText(place), behindCharsMax) },
      {
        head: "SINCE",
        cell: ({ queuedAtMs }) => durationText(Math.max(0, nowMs - queuedAtMs)),
        isRight: true,
      },
      {
        head: "AT MOST",
        cell: ({ deadlineMs }) => durationText(Math.max(0, deadlineMs - nowMs)),
        isRight: true,
        spare: 1,
      },
    ],
  });
}

function groundsText(grounds: PlaceView["grounds"]): string {
  return grounds
    .map(({ lane, region, mode }) => {
      const ground =
        lane === null ? patternsText({ region, worktree: null }) : `lane ${plainText(lane)}`;
      return `${ground} (${mode})`;
    })
    .join(" or ");
}

function behindText({ behind, isTurn }: PlaceView): string {
  if (isTurn) return "nobody: it is its turn";
  if (behind.length === 0) return "-";
  return behind.map(({ by, holder }) => `${by} of ${plainText(holder)}`).join(", ");
}
