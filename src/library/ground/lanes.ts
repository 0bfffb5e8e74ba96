import type { CommandMap } from "../../kernel/command.ts";
import type { GroundRules, Lane, Worktrees } from "../../kernel/lane/lane.ts";
import { isHeldAt } from "../../kernel/lease/lease.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseGroundRules } from "../../protocol/lease.ts";
import { demandFields, demandOptions } from "../given-options.ts";
import type { Seat } from "../seat.ts";
import { findWho } from "../worker/reference.ts";
import { journalNow } from "../lease/sighting.ts";
import { absentLeftOut, demandText, patternsOf } from "../lease/options.ts";

/** A lane as it is enacted: a region with a name. */
export interface LaneOptions {
  readonly name: string;
  readonly region: string | readonly string[];
  readonly exclude?: readonly string[];
  /** How many may hold it at once; absent: one. */
  readonly slots?: number;
  /** Whether a lease of it is in the way of every other lease of the fleet. */
  readonly alone?: boolean;
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/** All that is enacted about ground; it replaces what was before. */
export interface GroundOptions {
  readonly lanes: readonly LaneOptions[];
  /** Default: `one_ground`, equal paths of two worktrees are one resource. */
  readonly worktrees?: Worktrees;
  /** Whether writing needs a lease; default false. */
  readonly requireLease?: boolean;
}

/** A lane in force, and who holds it. */
export interface LaneView {
  readonly name: string;
  readonly region: readonly string[];
  readonly slots: number | null;
  readonly alone: boolean;
  readonly aliases: readonly string[];
  readonly description: string | null;
  /** The ids of the live leases that were granted on it. */
  readonly leases: readonly string[];
}

/** Who is about to work on a lane. */
export interface AnnounceOptions {
  readonly lane: string;
  /** A worker, or the name of an outside party, as for a lease. */
  readonly holder: string;
  readonly note?: string;
  readonly runId?: string;
}

const LANE_FIELDS = ["name", "region", "exclude", "slots", "alone", "aliases", "description"];

/** Reads what is to be enacted about ground, but for the form of each field. */
export function readGround(options: unknown): CommandMap["lanes.enact"] {
  demandOptions(options, ["lanes", "worktrees", "requireLease"], "an object with lanes");
  const { lanes, worktrees = "one_ground", requireLease = false } = options as GroundOptions;
  if (!Array.isArray(lanes))
    throw new InputError("usage", [
      { path: "options.lanes", expected: "an array of lanes", got: describeValue(lanes) },
    ]);
  return { lanes: lanes.map(readLane), worktrees, require: requireLease };
}

/** Parses what is to be enacted about ground. Throws an InputError that names each wrong field. */
export function parseGround(options: unknown): GroundRules {
  const rename = (field: string): string => (field === "require" ? "requireLease" : field);
  return parseGroundRules(readGround(options), { path: "options", rename });
}

function readLane(given: unknown, index: number): Lane {
  const path = `options.lanes[${index}]`;
  demandFields(given, { known: LANE_FIELDS, expected: "a lane", path });
  const { region, exclude, ...others } = given as LaneOptions;
  return absentLeftOut({ ...others, region: patternsOf({ region, exclude }, path) });
}

/** The lanes in force with who holds them, in the order of their enactment. */
export function listLanes(seat: Pick<Seat, "loop">): readonly LaneView[] {
  const { book } = seat.loop.state();
  const atMs = journalNow(seat);
  const holding = new Map<string, string[]>(book.rules.lanes.map(({ name }) => [name, []]));
  for (const lease of book.leases.values())
    if (lease.lane !== null && isHeldAt(lease, atMs)) holding.get(lease.lane)?.push(lease.id);
  return Object.freeze(
    book.rules.lanes.map((lane) => {
      const { name, region, slots = null, alone = false, aliases = [] } = lane;
      const { description = null } = lane;
      const shown = { name, slots, alone, description };
      const leases = Object.freeze(holding.get(name) ?? []);
      return Object.freeze({
        ...shown,
        region: Object.freeze([...region]),
        aliases: Object.freeze([...aliases]),
        leases,
      });
    }),
  );
}

/** Reads an announcement; its holder is found out as that of a lease. */
export async function readAnnouncement(
  seat: Seat,
  options: unknown,
): Promise<CommandMap["lane.announce"]> {
  demandOptions(options, ["lane", "holder", "note", "runId"], "an object with lane and holder");
  const { lane, holder, note, runId } = options as AnnounceOptions;
  const path = "options.holder";
  const who = await findWho(seat, demandText(holder, path), path);
  const name = "worker" in who ? who.worker : who.name;
  return absentLeftOut({ lane, holder: name, note, run_id: runId });
}
