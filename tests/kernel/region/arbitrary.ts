import { array, constantFrom, tuple, type Arbitrary } from "fast-check";

const STEPS = "a b ab ** ** * * a* *a *b* ? ?? a? [ab] [!a] [a.]* *[!b] {a,b} {a*,ba} .* a.b";

const pattern = array(constantFrom(...STEPS.split(" ")), { minLength: 1, maxLength: 4 }).map(
  (steps) => steps.join("/"),
);

/** The patterns of a region over a small alphabet, with up to two that are left out. */
export const anyRegion: Arbitrary<readonly string[]> = tuple(
  array(pattern, { minLength: 1, maxLength: 2 }),
  array(pattern, { maxLength: 2 }),
).map(([includes, excludes]) => [...includes, ...excludes.map((text) => `!${text}`)]);
