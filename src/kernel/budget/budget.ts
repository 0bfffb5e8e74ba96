/**
 * What a worker may spend, its descendants included. Integers only; an absent key is unlimited.
 *
 * - *capacity* (`cpu_milli`, `memory_bytes`, `processes`) is carved out of the parent's free part
 *   and comes back whole when the worker is dead;
 * - *consumables* (`spawns`, `cpu_ms`, `units`) come back only as far as they are unspent;
 * - *bounds* (`lifetime_ms`, `wall_ms`) are at most the parent's.
 */
export interface Budget {
  readonly cpu_milli?: number;
  readonly memory_bytes?: number;
  readonly processes?: number;
  readonly spawns?: number;
  readonly cpu_ms?: number;
  readonly lifetime_ms?: number;
  readonly wall_ms?: number;
  readonly units?: Readonly<Record<string, number>>;
}

/** Amounts of consumables, as they are charged: cpu time in ms and named units. */
export interface Charge {
  readonly cpu_ms?: number;
  readonly units?: Readonly<Record<string, number>>;
}
