import type { Question } from "../audit/lease/writing.ts";
import type { View } from "./view.ts";
import { pickWorker } from "./view.ts";

/** Files of a simulated world that somebody may mean to write. */
const PATHS = ["src/api/a", "src/gen/a", "src/a", "docs/a", "SRC/api/a", "a"];

/** Makes up a question whether somebody may write a file, often of who holds something. */
export function makeQuestion(view: View, atMs: number): Question {
  const { random, state } = view;
  const leases = [...state.book.leases.values()];
  const lease = leases.length > 0 && random.chance(0.85) ? random.pick(leases) : undefined;
  const holder = lease?.holder ?? { worker: pickWorker(view) };
  const { taken_over, fence = 1 } = lease ?? { taken_over: null };
  // The fence before the lease changed hands, or one of another lease, is what a late writer has.
  const late =
    taken_over?.fence ?? random.pick([fence - 1, fence + 1, ...leases.map((one) => one.fence)]);
  const known = random.chance(0.6) ? fence : late;
  return {
    file: { path: random.pick(PATHS), worktree: random.pick(["main", "w1"]) },
    holder,
    ...(random.chance(0.5) ? { fence: known } : {}),
    isStrict: random.chance(0.2),
    atMs,
  };
}
