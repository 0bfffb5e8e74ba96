// Ground so small that all of its paths can be counted out, and a matcher for it that knows
// nothing of the rules: what a pattern matches is tried, path by path.

const SEGMENTS = ["a", "b", "c"] as const;

/** Every path of one to three segments. */
export const PATHS: readonly string[] = SEGMENTS.flatMap((first) => [
  first,
  ...SEGMENTS.flatMap((second) => [
    `${first}/${second}`,
    ...SEGMENTS.map((third) => `${first}/${second}/${third}`),
  ]),
]);

/** Regions that are asked for: most of them meet most of the others somewhere. */
export const REGIONS: readonly (readonly string[])[] = [
  ["a/**"],
  ["b/**", "!b/b/**"],
  ["c/*"],
  ["*/a"],
  ["**/c"],
  ["a/b/?", "b/a"],
  ["{a,b}/c/**"],
  ["[!b]/[ab]/c"],
  ["c/c/?"],
  ["b/b/*"],
  ["*/*/b", "!c/**"],
];

/** Lanes that are asked for; they meet the regions as any other ground. */
export const LANES = [
  { name: "front", region: ["a/a/**"], aliases: ["web"] },
  { name: "shelf", region: ["c/c/a", "c/c/b"], slots: 2 },
  { name: "press", region: ["c/a/a"], alone: true },
] as const;

/** Whether a region has a path. */
export function has(patterns: readonly string[], path: string): boolean {
  const isLeftOut = patterns.some((one) => one.startsWith("!") && matches(one.slice(1), path));
  return !isLeftOut && patterns.some((one) => !one.startsWith("!") && matches(one, path));
}

/** The paths that a region has. */
export function pathsIn(patterns: readonly string[]): readonly string[] {
  return PATHS.filter((path) => has(patterns, path));
}

function matches(pattern: string, path: string): boolean {
  return matchesFrom(pattern.split("/"), path.split("/"));
}

function matchesFrom(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === "**")
    return path.some((_, index) => matchesFrom(rest, path.slice(index))) || matchesFrom(rest, []);
  const [segment, ...others] = path;
  return segment !== undefined && asRegExp(first).test(segment) && matchesFrom(rest, others);
}

function asRegExp(segment: string): RegExp {
  const text = segment
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
    .replaceAll("[!", "[^")
    .replaceAll(/\{([^}]*)\}/g, (_, words: string) => `(?:${words.replaceAll(",", "|")})`);
  return new RegExp(`^${text}$`);
}
