import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import { decide } from "../../kernel/decide.ts";
import type { Event } from "../../kernel/event.ts";
import { evolve } from "../../kernel/evolve.ts";
import { isLive, type State, type WorkerStatus } from "../../kernel/state.ts";

/** Why a worker would end by a stop: it is named, it is below one that is, or loses its parent. */
export type Because = "named" | "descendant" | "orphaned";

/** A worker that a stop would end. */
export interface Doomed {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly status: WorkerStatus;
  readonly because: Because;
}

/** Which stop is asked about. */
export interface BlastRadiusOptions {
  /** Also the live descendants of those that are named; default true. */
  readonly tree?: boolean;
}

/**
 * Who would end if these workers were stopped now, parents before their children. The rules say it
 * themselves: they decide the stop and each end that follows from it on a state that is thrown
 * away, so that what `on_orphan` does is in it. Nothing is written.
 */
export function foreseeStop(
  state: State,
  ids: readonly string[],
  so: { readonly tree: boolean; readonly by: Actor },
): readonly Doomed[] {
  const trial = new Trial(state, so.by);
  const causes = new Map<string, Because>();
  for (const id of ids) {
    const worker = state.workers.get(id);
    // One that was told to stop before is ended by this stop as well, and no event says so.
    if (worker !== undefined && isLive(worker)) causes.set(id, "named");
    const data = { worker: id, reason: "requested", tree: so.tree } as const;
    for (const told of trial.give({ kind: "worker.stop", data }))
      if (!causes.has(told)) causes.set(told, "descendant");
  }
  // A map goes on over what is added to it: the orphans of orphans are asked about in their turn.
  for (const id of causes.keys()) {
    const evidence = { grade: "settled", facts: {} } as const;
    const data = { worker: id, evidence, outcome: {} };
    for (const told of trial.give({ kind: "worker.exited", data }))
      if (!causes.has(told)) causes.set(told, "orphaned");
  }
  return [...causes]
    .flatMap(([id, because]): readonly Doomed[] => {
      const worker = state.workers.get(id);
      if (worker === undefined || !isLive(worker)) return [];
      const { name, parent, depth, status } = worker;
      return [{ id, name, parent, depth, status, because }];
    })
    .toSorted((a, b) => a.depth - b.depth);
}

/** A fleet in thought: what is decided here happens nowhere. */
class Trial {
  #state: State;
  readonly #actor: Actor;

  constructor(state: State, actor: Actor) {
    this.#state = state;
    this.#actor = actor;
  }

  /** Decides a command as whoever may give it; answers the ids of those it tells to stop. */
  give(command: Command): readonly string[] {
    const actor: Actor = { ...this.#actor, kind: "operator" };
    const { seq, at_ms } = this.#state;
    const { events } = decide(this.#state, { id: "trial", actor, command }, at_ms);
    for (const event of events)
      this.#state = evolve(this.#state, { ...event, seq: seq + 1, at_ms, actor });
    return events.flatMap((event: Event) =>
      event.kind === "worker.stopping" ? [event.data.worker] : [],
    );
  }
}
