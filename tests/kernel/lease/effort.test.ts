// What one decision may cost: counted, so that the answers here are the same on every machine.
import { expect, test } from "vitest";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { acquire, act, enactLanes, TTL_MS } from "../../support/lease-scenario.ts";
import { create, given, idOf, start } from "../../support/scenario.ts";

/** Patterns that differ from each other in the middle, and share beginning and end. */
function straight(name: string, count: number): string[] {
  const run = "a/".repeat(28);
  return Array.from({ length: count }, (_, index) => `${run}${name}${index}?/${run}a`);
}

/** Patterns that go a long way with every straight one, and meet none of them. */
function winding(name: string, count: number): string[] {
  const run = "**/a/".repeat(14);
  return Array.from({ length: count }, (_, index) => `${run}**/${name}${index}/${run}**`);
}

const held = [create(), acquire("h", straight("h", 120).join(" "))] as const;

test("[LS26] a question that takes too much is refused, with less of it decided", () => {
  given(...held)
    .when(acquire("ann", winding("q", 60).join(" ")))
    .refused("region_too_large");
  given(...held)
    .when(acquire("ann", winding("q", 1).join(" ")))
    .happens("lease.granted");
});

test("[LS26] what counts as held shares the effort, and is not more than its limit", () => {
  const also_held = [straight("h", 120)];
  given(create())
    .when(acquire("ann", winding("q", 60).join(" "), { also_held }))
    .refused("region_too_large");
  given(create())
    .when(acquire("ann", winding("q", 1).join(" "), { also_held }))
    .happens("lease.granted");
  const wide = Array.from({ length: 40 }, (_, index) => [`${index}/`.padEnd(1_000, "x/") + "x"]);
  given(create())
    .when(acquire("ann", "src/**", { also_held: wide }))
    .refused("region_too_large", { field: "also_held", max: LIMITS.alsoHeldBytesMax });
});

test("[LS26] lanes that are asked for together share it", () => {
  const names = Array.from({ length: 30 }, (_, index) => `l${index}`);
  const lanes = enactLanes(names.map((name) => ({ name, region: winding(name, 1) })));
  const few = [create(), acquire("h", straight("h", 20).join(" ")), lanes] as const;
  // What counts as held is looked at last: so much has each lane cost by then.
  const also_held = [["**"]];
  for (const name of names)
    given(...few)
      .when(acquire("ann", { lanes: [name], also_held }))
      .refused("conflict");
  const { refusal } = given(...few).when(acquire("ann", { lanes: names, also_held })).decision;
  expect(refusal?.code).toBe("region_too_large");
  expect(refusal?.facts["tried"]).toMatchObject([
    { code: "conflict" },
    ...names.slice(1).map(() => ({})),
  ]);
});

test("[LS26] what cannot be decided to lie in the lease of a key is not taken to", () => {
  const rest = "?".repeat(19);
  given(create(), acquire("ann", `*a${rest} *[!a]${rest}`, { key: "k" }))
    .when(acquire("ann", `?${rest}*`, { key: "k" }))
    .refused("region_too_large", { lease_id: "l-2" });
});

test("[LS26] what is lent and narrowed has no more", () => {
  const rest = "?".repeat(19);
  const { play } = given(
    create(),
    start("a"),
    start("b", { under: "a" }),
    acquire("@a", `*a${rest} *[!a]${rest}`),
  );
  const region = [`?${rest}*`];
  const lent = act(["lease.split", "@a"], { region, to: idOf("b"), ttl_ms: TTL_MS });
  expect(play.take(lent)?.refusal?.code).toBe("region_too_large");
  const narrowed = act(["lease.narrow", "@a"], { region });
  expect(play.take(narrowed)?.refusal?.code).toBe("region_too_large");
});
