import { HIT_LIMITS, type LimitHit } from "../../src/kernel/worker/limit.ts";
import { pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** Makes up what a supervisor saw a worker hit: counts that grow, stay, or are of nothing. */
export function makeHits(view: View): Request {
  const worker = pickWorker(view, ({ status }) => status === "running");
  const data = { worker, limits_hit: drawHits(view) };
  return { command: { kind: "worker.hit_limit", data }, actor: SUPERVISOR };
}

/** Some limits that were hit, each once. */
export function drawHits({ random }: View): readonly LimitHit[] {
  return HIT_LIMITS.filter(() => random.chance(0.3)).map((limit) => {
    const value = 1 + random.below(100);
    return { limit, value, use: value, count: random.below(5) };
  });
}
