/**
 * What a worker is held to and can come up against, each by the key that sets it. Not `cpu_milli`:
 * who has a share of the processors always comes up against it.
 */
export const HIT_LIMITS = [
  "memory_bytes",
  "processes",
  "wall_ms",
  "output_bytes",
  "open_files",
  "scratch_bytes",
] as const;

/** A limit that a worker can hit. */
export type HitLimit = (typeof HIT_LIMITS)[number];

/** What was measured of a limit that a worker has hit, in the unit that its name says. */
export interface HitMeasure {
  /** The limit when it was looked at. */
  readonly value: number;
  /** The most that was used, as far as that is known. */
  readonly use: number;
  /** How often it was hit since the worker began. */
  readonly count: number;
}

/** That a worker has hit one of its limits. */
export interface LimitHit extends HitMeasure {
  readonly limit: HitLimit;
}

/** What is on record of limits that a worker has hit, by limit: the newest of each. */
export type RecordedHits = Readonly<
  Partial<Record<HitLimit, HitMeasure & { readonly at_ms: number }>>
>;

/** What is on record of a worker's hits, in the order of the limits. */
export function listHits(hits: RecordedHits): readonly (LimitHit & { readonly at_ms: number })[] {
  return HIT_LIMITS.flatMap((limit) => {
    const hit = hits[limit];
    return hit === undefined ? [] : [{ limit, ...hit }];
  });
}
