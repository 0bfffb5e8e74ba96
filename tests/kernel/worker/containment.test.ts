import { describe, expect, test } from "vitest";
import { DEGRADATIONS } from "../../../src/kernel/fleet/contract.ts";
import { admit, create, given, self, start, SUPERVISOR } from "../../support/scenario.ts";

const ALL = [...DEGRADATIONS];

/** What is left of all weaknesses for a worker that is admitted so. */
function kept(contract: Parameters<typeof create>[0], admission: Parameters<typeof admit>[1]) {
  const { decision } = given(create({ ...contract, allow_degraded: ALL })).when(
    admit("a", { degraded: ALL, ...admission }),
  );
  const [event] = decision.events;
  return event?.kind === "worker.admitted" ? event.data.degraded : undefined;
}

describe("what a sandbox does not hold", () => {
  const open = { network: "open" } as const;
  const same = "same_user";
  test.each([
    { of: "nothing that it has limits for", admission: open, expected: [same] },
    {
      of: "memory",
      admission: { ...open, budget: { memory_bytes: 1 } },
      expected: [same, "memory"],
    },
    { of: "cpu", admission: { ...open, budget: { cpu_milli: 1 } }, expected: [same, "cpu"] },
    {
      of: "processes",
      admission: { ...open, budget: { processes: 1 } },
      expected: [same, "processes"],
    },
    {
      of: "the contract's limit",
      contract: { budget: { cpu_milli: 8 } },
      admission: open,
      expected: [same, "cpu"],
    },
    { of: "a network of its own", admission: {}, expected: [same, "network"] },
    { of: "no network", admission: { network: "none" as const }, expected: [same, "network"] },
  ])("[AD18] of $of only what matters is named", ({ contract = {}, admission, expected }) => {
    expect(kept(contract, admission)).toStrictEqual(expected);
  });

  test("[AD18] a child that gets half of its parent's memory needs a sandbox that holds it", () => {
    const contract = { allow_degraded: ["same_user", "network"] as const };
    const parent = start("p", { budget: { memory_bytes: 8 } });
    given(create(contract), parent)
      .when(admit("a", { under: "p", degraded: ["memory"] }))
      .refused("containment_too_weak", { degraded: "memory" });
    given(create(contract), start("p"))
      .when(admit("a", { under: "p", degraded: ["memory"] }))
      .happens({ kind: "worker.admitted", data: { degraded: [] } });
  });

  test("[AD18] what is not known to be about a limit always matters", () => {
    given(create({ allow_degraded: ALL }))
      .when(admit("a", { network: "open", degraded: ["constructor"] }))
      .refused("containment_too_weak", { degraded: "constructor" });
  });
});

describe("the present use of the parent", () => {
  const budget = { memory_bytes: 100, processes: 10 };
  const family = [create({ budget }), start("p")] as const;

  test.each([
    { key: "memory_bytes", asked: { memory_bytes: 60, processes: 4 }, use: 41, remaining: 40 },
    { key: "processes", asked: { memory_bytes: 60, processes: 4 }, use: 7, remaining: 6 },
  ] as const)("[BG15] carving $key that is in use is refused", ({ key, asked, use, remaining }) => {
    given(...family)
      .when(admit("a", { under: "p", budget: asked, parent_use: { [key]: use } }))
      .refused("budget_exceeded", { key, use, remaining, asked: asked[key] });
  });

  test("[BG15] use that just remains is granted", () => {
    const parent_use = { memory_bytes: 40, processes: 6 };
    given(...family)
      .when(admit("a", { under: "p", budget: { memory_bytes: 60, processes: 4 }, parent_use }))
      .happens("worker.admitted");
  });

  test("[BG15] what other children hold does not remain either", () => {
    const first = admit("a", { under: "p", budget: { memory_bytes: 50 } });
    given(...family, first)
      .when(
        admit("b", { under: "p", budget: { memory_bytes: 20 }, parent_use: { memory_bytes: 31 } }),
      )
      .refused("budget_exceeded", { free: 50, remaining: 30, use: 31 });
  });

  test("[BG15] where the parent has no limit its use says nothing", () => {
    given(create(), start("p"))
      .when(admit("a", { under: "p", parent_use: { memory_bytes: 2 ** 40 }, by: self("p") }))
      .happens("worker.admitted");
  });

  test("[BG15] a supervisor still admits nobody by its own right", () => {
    const parent_use = { memory_bytes: 1 };
    given(...family)
      .when(admit("a", { under: "p", parent_use, by: SUPERVISOR }))
      .refused("not_authorised");
  });
});
