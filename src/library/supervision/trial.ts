import type { Actor } from "../../kernel/actor.ts";
import { decide } from "../../kernel/decide.ts";
import type { Event } from "../../kernel/event.ts";
import { evolve } from "../../kernel/evolve.ts";
import { bookOf, leasesOf } from "../../kernel/lease/book.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { placesOf } from "../../kernel/queue/queue.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";

/** Whether a lane would be granted, and why not. */
export type Trial = { readonly ok: true } | { readonly ok: false; readonly why: string };

/**
 * The ground of a fleet in thought: what is decided here happens nowhere. The rules themselves say
 * whether a lane would be granted beside all that is held, and beside what was granted here before:
 * regions exactly, lanes that run alone, slots, conditions, and who waits.
 */
export class GroundInThought {
  #state: State;
  readonly #actor: Actor;
  readonly #atMs: number;
  /** The lanes that were taken here, by who has them in thought. */
  readonly #lanes = new Map<string, string>();

  constructor(state: State, so: { readonly actor: Actor; readonly atMs: number }) {
    this.#state = state;
    this.#actor = { ...so.actor, kind: "operator" };
    this.#atMs = so.atMs;
  }

  /** The same fleet if nobody held anything, and it was open. */
  static cleared(state: State, so: { readonly actor: Actor; readonly atMs: number }) {
    const { foldsCase, rules } = state.book;
    return new GroundInThought(
      { ...state, status: "open", book: bookOf(foldsCase, rules, []) },
      so,
    );
  }

  /** Takes a lane if it would be granted, by somebody who holds nothing yet. */
  take(lane: string): Trial {
    const count = this.#lanes.size + 1;
    const name = `stint supervise ${count}`;
    const holder = { name, nonce: "a".repeat(26), token_hash: "0".repeat(64) };
    const data = { holder, lanes: [lane], ttl_ms: LIMITS.leaseTtlMsDefault };
    const submission = {
      id: `trial-${count}`,
      actor: this.#actor,
      command: { kind: "lease.acquire", data } as const,
    };
    const { events, refusal } = decide(this.#state, submission, this.#atMs);
    if (refusal !== null) return { ok: false, why: this.#whyNot(refusal) };
    this.#lanes.set(name, lane);
    for (const event of events) this.#happen(event);
    return { ok: true };
  }

  /** Whoever is in the way in thought alone has no lease that could be looked up. */
  #whyNot({ message, facts }: Refusal): string {
    const lane = typeof facts["holder"] === "string" ? this.#lanes.get(facts["holder"]) : undefined;
    if (lane === undefined) return message;
    return `the ground must be free, by this plan somebody is on lane "${lane}"`;
  }

  /** Frees all that a worker holds or waits for, and what its sandbox has of it. */
  free(worker: string): void {
    const { book } = this.#state;
    for (const { id } of leasesOf(book, { worker }))
      this.#happen({ kind: "lease.released", data: { lease: id, cause: "holder" } });
    for (const { id } of placesOf(book.queue, { worker }))
      this.#happen({ kind: "place.left", data: { place: id, cause: "holder" } });
    for (const mount of book.mounts.values()) {
      if (mount.worker !== worker) continue;
      const { lease, region } = mount;
      const data = { lease, worker, region, waited_ms: 0, was_frozen: false };
      this.#happen({ kind: "lease.fenced", data });
    }
  }

  #happen(event: Event): void {
    const seq = this.#state.seq + 1;
    this.#state = evolve(this.#state, { ...event, seq, at_ms: this.#atMs, actor: this.#actor });
  }
}
