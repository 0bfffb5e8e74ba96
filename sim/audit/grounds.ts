/** By hand, of a few resources: which of them the regions have that a simulation asks for. */
const HAS: Readonly<Record<string, string>> = {
  "*:**": "port:1 docs/a src/gen/a src/api/a src/a",
  "**": "docs/a src/gen/a src/api/a src/a",
  "src/**": "src/gen/a src/api/a src/a",
  "src/** !src/gen/**": "src/api/a src/a",
  "src/api/**": "src/api/a",
};

/** Whether regions lie in others, as far as these resources tell; those not listed lie in none. */
export function isWithin(inner: readonly string[], outer: readonly string[]): boolean {
  const [has, around] = [HAS[inner.join(" ")], HAS[outer.join(" ")]].map((list) =>
    list?.split(" "),
  );
  return has?.every((resource) => around?.includes(resource) === true) === true;
}
