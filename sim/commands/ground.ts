import type { GroundRules, Lane } from "../../src/kernel/lane/lane.ts";
import { anOperator, asWorker, pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** Lanes by number of slots and the like drawn anew each time; written as they are kept. */
const LANES: readonly Lane[] = [
  { name: "api", region: ["src/api/**"], aliases: ["interface"] },
  { name: "docs", region: ["docs/**"], slots: 1 },
  { name: "gate", region: ["port:1"], slots: 1, aliases: ["door", "port"] },
  { name: "main", region: ["branch:main"], alone: true },
  { name: "papers", region: ["docs/**", "port:1"], slots: 2 },
  { name: "rest", region: ["src/**", "!src/api/**"], slots: 3 },
  { name: "solo", region: ["port:2"], slots: 2, alone: true },
];

/** Names under which somebody may ask for a lane; the last are none. */
export const LANE_NAMES: readonly string[] = [
  ...LANES.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  "dcos",
  "nowhere",
];

const BAD_LANES: readonly Lane[] = [
  { name: "api", region: ["src/**"] },
  { name: "other", region: ["docs/**"], aliases: ["door"] },
  { name: "twice", region: ["docs/**"], aliases: ["twice"] },
  { name: "empty", region: ["src/a", "!src/**"] },
  { name: "broken", region: ["src//api"] },
];

/** Makes up lanes and what else is enacted about ground; sometimes what cannot be. */
export function makeGroundRules(view: View): Request {
  const { random } = view;
  const lanes = LANES.filter(() => random.chance(0.8)).map((lane) => {
    const isOther = lane.slots !== undefined && random.chance(0.3);
    return isOther ? { ...lane, slots: 1 + random.below(2) } : lane;
  });
  const data: GroundRules = {
    lanes: random.chance(0.1) ? [...lanes, ...LANES.slice(0, 1), random.pick(BAD_LANES)] : lanes,
    worktrees: random.chance(0.2) ? "own_ground" : "one_ground",
    require: random.chance(0.2),
  };
  return { command: { kind: "lanes.enact", data }, actor: anOperator(view) };
}

/** Makes up an announcement: by whoever means to work on a lane, or for him. */
export function makeAnnouncement(view: View): Request {
  const { random } = view;
  const holder = random.chance(0.5) ? "ci" : pickWorker(view);
  const data = {
    lane: random.pick(LANE_NAMES),
    holder,
    ...(random.chance(0.3) ? { note: "soon" } : {}),
  };
  const actor = random.pick([anOperator(view), SUPERVISOR, asWorker(holder)]);
  return { command: { kind: "lane.announce", data }, actor };
}
