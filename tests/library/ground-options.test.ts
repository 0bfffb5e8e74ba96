import { InputError, memory, openFleet, sqlite } from "stint";
import { describe, expect, test } from "vitest";
import { entriesOf, kindsOf, makeFolder, openRoomy, rejectionOf, ROOMY, SECRET } from "./rig.ts";

const API = { name: "api", region: ["src/api/**"], exclude: ["src/api/gen/**"], slots: 2 };
const WEB = { name: "web", region: "web/**", alone: true, aliases: ["site"] };

describe("[LN6] a fleet that is opened with lanes and rules about ground", () => {
  test("has them from the first on", async () => {
    const fleet = await openRoomy({ lanes: [API, WEB], requireLease: true, foldCase: true });
    const [created, enacted] = await entriesOf(fleet);
    expect(created?.data).toMatchObject({ foldCase: true });
    expect(enacted).toMatchObject({
      kind: "lanes.enacted",
      data: {
        lanes: [
          { name: "api", region: ["src/api/**", "!src/api/gen/**"], slots: 2 },
          { name: "web", region: ["web/**"], alone: true, aliases: ["site"] },
        ],
        worktrees: "one_ground",
        require: true,
      },
    });
    const [api] = fleet.lanes();
    expect(api).toMatchObject({ name: "api", slots: 2 });
    const lease = await fleet.acquire({ lane: "site", holder: "ann" });
    expect(lease.view().region).toEqual(["web/**"]);
  });

  test("has none and writes nothing where none are given", async () => {
    const fleet = await openRoomy();
    const [created] = await entriesOf(fleet);
    expect(created?.data).not.toHaveProperty("foldCase");
    expect(await kindsOf(fleet)).toEqual(["fleet.created"]);
    expect(fleet.lanes()).toEqual([]);
  });

  test("is opened again with the same in other words, or without a word of them", async () => {
    const store = memory();
    const fleet = await openRoomy({ store, lanes: [API, WEB] });
    const other = { ...API, region: ["src/./api/"], exclude: ["src/api/gen/"] };
    await openRoomy({ store, lanes: [{ ...WEB, region: ["web/**"] }, other], foldCase: false });
    await openRoomy({ store });
    expect(await kindsOf(fleet)).toEqual(["fleet.created", "lanes.enacted"]);
  });

  test("throws where others are in force, unless these are to be enacted", async () => {
    const store = memory();
    const fleet = await openRoomy({ store, lanes: [API] });
    await fleet.acquire({ lane: "api", holder: "ann" });
    const given = { store, secret: SECRET, contract: ROOMY, lanes: [{ ...API, slots: 3 }, WEB] };
    const error = await rejectionOf(openFleet({ ...given, requireLease: true }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(
      /^options\.lanes must be the lanes and rules in force, or given with enact: true, got others/,
    );
    expect(error.message).toMatch(/lanes\.api: in force \{.*"slots":2.*, given \{.*"slots":3/);
    expect(error.message).toContain("lanes.web: in force nothing, given {");
    expect(error.message).toContain("requireLease: in force false, given true");
    expect(error.message).not.toContain("worktrees");
    const second = await openRoomy({ ...given, enact: true });
    expect(second.lanes().map(({ name, slots }) => [name, slots])).toEqual([
      ["api", 3],
      ["web", null],
    ]);
    expect(second.leases()).toHaveLength(1);
  });

  test("gets them after all where whoever began it died before", async () => {
    const store = memory();
    await openRoomy({ store });
    const fleet = await openRoomy({ store, lanes: [API] });
    expect(await kindsOf(fleet)).toEqual(["fleet.created", "lanes.enacted"]);
    const used = memory();
    const first = await openRoomy({ store: used });
    await first.start({ name: "w" });
    const late = openFleet({ store: used, secret: SECRET, contract: ROOMY, lanes: [API] });
    expect((await rejectionOf(late)).message).toContain("options.lanes must be");
  });

  test("folds case for good, or not", async () => {
    const store = sqlite({ dir: makeFolder() });
    const fleet = await openRoomy({ store, foldCase: true });
    await fleet.acquire({ region: "README", holder: "ann" });
    const refused = await fleet.tryAcquire({ region: "readme", holder: "bob" });
    expect(refused).toMatchObject({ ok: false, refusal: { code: "conflict" } });
    const error = await rejectionOf(
      openFleet({ store, secret: SECRET, foldCase: false, enact: true }),
    );
    expect(error.message).toBe(
      "options.foldCase must be true, as the fleet was created, got false",
    );
  });

  test.each([
    [{ lanes: [{ name: "a b", region: "x" }] }, "options.lanes[0].name must be 1 to 64 letters"],
    [
      { lanes: [{ name: "a", region: [] }] },
      "options.lanes[0].region must be at least one pattern",
    ],
    [{ lanes: [{ name: "a", paths: ["x"] }] }, "options.lanes[0].paths must be absent"],
    [{ lanes: {} }, "options.lanes must be an array of lanes, got {}"],
    [
      { worktrees: "own" },
      'options.worktrees must be one of "one_ground", "own_ground", got "own"',
    ],
    [{ requireLease: 1 }, "options.requireLease must be true or false, got 1"],
    [{ foldCase: "yes" }, 'options.foldCase must be true or false, got "yes"'],
    [{ lane: [] }, "options.lane must be absent (no such option; did you mean lanes?)"],
  ])("is not begun with %j", async (options, problem) => {
    const store = memory();
    const given = { store, secret: SECRET, contract: ROOMY, ...options };
    const error = await rejectionOf(openFleet(given as Parameters<typeof openFleet>[0]));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(problem);
    expect(await kindsOf(await openRoomy({ store }))).toEqual(["fleet.created"]);
  });
});

describe("[LC7] conditions on leases in the library", () => {
  const leaseDenyWhen = [{ name: "few", when: "held >= 1" }];

  test("are given, shown and in force as leaseDenyWhen", async () => {
    const fleet = await openRoomy({ contract: { ...ROOMY, leaseDenyWhen } });
    expect(fleet.contract.leaseDenyWhen).toEqual(leaseDenyWhen);
    await fleet.acquire({ region: "a", holder: "ann" });
    const refused = await fleet.tryAcquire({ region: "b", holder: "ann" });
    expect(refused).toMatchObject({
      ok: false,
      refusal: { code: "lease_condition", facts: { condition: "few" } },
    });
    expect((await fleet.tryAcquire({ region: "b", holder: "bob" })).ok).toBe(true);
  });

  test("are texts, and checked", async () => {
    const wrong = (when: unknown) =>
      rejectionOf(
        openFleet({
          store: memory(),
          secret: SECRET,
          contract: { leaseDenyWhen: [{ name: "odd", when: when as string }] },
        }),
      );
    expect((await wrong(() => true)).message).toContain(
      "contract.leaseDenyWhen[0].when must be text of 1 to 4096 bytes, got a function",
    );
    expect((await wrong("depth > 1")).message).toContain('condition on leases "odd": ');
  });
});
