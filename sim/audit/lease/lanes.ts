import { isDeepStrictEqual } from "node:util";
import type { CommandMap } from "../../../src/kernel/command.ts";
import { problemOf } from "../grounds.ts";
import { liveAt } from "./books.ts";
import { given, no, yes, type Expected } from "./expected.ts";
import type { Scene } from "./holders.ts";

/** What enacting lanes must come to. */
export function expectEnactment(
  { books, actor, atMs }: Scene,
  data: CommandMap["lanes.enact"],
): Expected {
  if (actor.kind !== "operator") return no("not_authorised");
  if (books.killedSeq !== null) return no("fleet_killed");
  const names = data.lanes.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  if (new Set(names).size < names.length) return no("lanes_invalid");
  const { foldsCase, rules } = books.ground;
  // What is held was held under the old meaning of paths.
  if (data.worktrees !== rules.worktrees && liveAt(books.ground, atMs).length > 0)
    return no("lanes_invalid");
  const isWrong = data.lanes.some(
    ({ region }) => problemOf({ patterns: region, foldsCase }) !== null,
  );
  if (isWrong) return no("lanes_invalid");
  // Simulated lanes are written as they are kept.
  return isDeepStrictEqual(rules, data) ? yes() : yes({ kind: "lanes.enacted", data: { ...data } });
}

/** What announcing work on a lane must come to. */
export function expectAnnouncement(
  { books, actor }: Scene,
  data: CommandMap["lane.announce"],
): Expected {
  const isSelf = actor.kind === "worker" && actor.id === data.holder;
  if (actor.kind === "worker" && !isSelf) return no("not_authorised");
  const lane = books.ground.rules.lanes.find(
    ({ name, aliases = [] }) => name === data.lane || aliases.includes(data.lane),
  );
  if (lane === undefined) return no("lane_unknown");
  return yes({ kind: "lane.announced", data: given({ ...data, lane: lane.name }) });
}
