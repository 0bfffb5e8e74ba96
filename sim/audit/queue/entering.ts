import type { CommandMap } from "../../../src/kernel/command.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { isSameHolder, liveAt, type Stake } from "../lease/books.ts";
import { given, no, yes, type Expected } from "../lease/expected.ts";
import type { Scene } from "../lease/holders.ts";
import { waitingAt } from "./books.ts";
import { outlookOf } from "./circle.ts";

/** What a request must come to that can be waited for: a place, or why there is none. */
export function expectPlace(
  scene: Scene,
  data: CommandMap["lease.acquire"],
  grounds: readonly Stake[],
): Expected {
  const { books, atMs } = scene;
  const { wait_ms: waitMs = 0, holder, ...ask } = data;
  const waiting = waitingAt(books.queue, atMs);
  if (waiting.length >= LIMITS.placesMax) return no("queue_full");
  const own = waiting.filter((row) => isSameHolder(row.holder, holder));
  if (own.length >= LIMITS.placesPerHolderMax) return no("queue_full");
  const wait = { holder, key: ask.key, rank: Infinity, stakes: grounds };
  const outlook = outlookOf(scene, wait);
  if (outlook === "circle") return no("wait_deadlock");
  const hasAnything =
    own.length > 0 || liveAt(books.ground, atMs).some((row) => isSameHolder(row.holder, holder));
  const isOwnGround = books.ground.rules.worktrees === "own_ground";
  const deadline_ms = atMs + waitMs;
  return yes({
    kind: "place.queued",
    data: given({
      holder,
      ask,
      grounds,
      worktree: isOwnGround ? (data.worktree ?? "main") : undefined,
      // Nobody waits for whoever has nothing: no circle of its own can be hidden.
      behind_circle: outlook === "behind" && hasAnything ? true : undefined,
      until_ms: endOf(atMs, deadline_ms),
      deadline_ms,
    }),
  });
}

/** Until when a place is somebody's that is kept up now. */
export function endOf(atMs: number, deadlineMs: number): number {
  return Math.min(atMs + LIMITS.placeMs, deadlineMs);
}
