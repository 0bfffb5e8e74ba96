import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { memory, openFleet, sqlite, type Fleet, type ServiceOptions } from "../../src/index.ts";
import { BODIES } from "../support/commands.ts";
import { hashOf, tokenOf } from "../support/service-scenario.ts";

const open: Fleet[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const fleet of open.splice(0)) await fleet.close();
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true });
});

async function opened(options: object = {}): Promise<Fleet> {
  const fleet = await openFleet({
    store: memory(),
    secret: "a secret of these tests",
    contract: {},
    steward: false,
    ...options,
  });
  open.push(fleet);
  return fleet;
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "stint-roster-"));
  folders.push(dir);
  return dir;
}

const api: ServiceOptions = { name: "api", everyMs: 5_000, start: ["./api"] };
const web: ServiceOptions = { name: "web", instances: 2, unit: "web.service" };

describe("[RO10] a fleet's handle", () => {
  test("shows the roster in force, frozen, and enacts one as a whole", async () => {
    const fleet = await opened();
    expect(fleet.roster()).toEqual([]);
    await fleet.enactRoster([api, web]);
    expect(fleet.roster()).toEqual([
      { name: "api", everyMs: 5_000, instances: 1, start: ["./api"], stop: null, unit: null },
      { name: "web", everyMs: 10_000, instances: 2, start: null, stop: null, unit: "web.service" },
    ]);
    expect(Object.isFrozen(fleet.roster()[0])).toBe(true);
    await fleet.enactRoster([]);
    expect(fleet.roster()).toEqual([]);
  });

  test.each([
    ["nothing", undefined, /^services must be an array of services, got nothing/],
    ["another field", [{ name: "a", every: 1 }], /services\[0\]\.every must be absent/],
    ["an interval that is none", [{ name: "a", everyMs: 1 }], /^services\[0\]\.everyMs must be an/],
  ])("names what is wrong: %s", async (_, given, says) => {
    const fleet = await opened();
    await expect(fleet.enactRoster(given as never)).rejects.toThrow(says);
  });

  test("what is given on opening is enacted where a fleet begins, else compared", async () => {
    const dir = folder();
    const store = () => sqlite({ dir });
    const first = await opened({ store: store(), supervisor: "none", roster: [api] });
    expect(first.roster()).toHaveLength(1);
    await first.close();
    const same = await opened({ store: store(), supervisor: "none", roster: [api] });
    expect(same.roster()).toHaveLength(1);
    await same.close();
    const other = opened({
      store: store(),
      supervisor: "none",
      roster: [{ ...api, everyMs: 1_000 }],
    });
    await expect(other).rejects.toThrow(
      "options.roster must be the roster in force, or given with enact: true, got another: api",
    );
    const left = await opened({ store: store(), supervisor: "none" });
    expect(left.roster()).toHaveLength(1);
    await left.close();
    const forced = await opened({ store: store(), supervisor: "none", roster: [web], enact: true });
    expect(forced.roster().map(({ name }) => name)).toEqual(["web"]);
  });
});

test("[RO10] what the rules say no to is thrown as refused", async () => {
  const fleet = await opened();
  const twice = fleet.enactRoster([api, api]);
  await expect(twice).rejects.toMatchObject({ refusal: { code: "roster_invalid" } });
});

test("[CQ1] through an open fleet nobody of a name is instance_unknown", async () => {
  const fleet = await opened();
  const answer = await fleet.submit({ kind: "control.request", data: BODIES["control.request"] });
  expect(answer).toMatchObject({ ok: false, refusal: { code: "instance_unknown" } });
});

test("[CQ3] through an open fleet a name that the roster lacks is service_unknown", async () => {
  const fleet = await opened();
  const note = { kind: "service.note", data: BODIES["service.note"] };
  expect(await fleet.submit(note)).toMatchObject({
    ok: false,
    refusal: { code: "service_unknown" },
  });
  await fleet.enactRoster([api]);
  expect(await fleet.submit(note)).toMatchObject({ ok: true });
});

test("[AT9] what has ended is told from what never was", async () => {
  const fleet = await opened();
  const issue = (name: string, so: object = {}) =>
    fleet.submit({
      kind: "token.issue",
      data: { ...BODIES["token.issue"], token: tokenOf(name), hash: hashOf(name), ...so },
    });
  const into = (name: string) => ({
    token: tokenOf(name),
    hash: hashOf(name),
    lifetime_ms: 60_000,
  });
  const exchange = (name: string, next: string) =>
    fleet.submit({ kind: "token.exchange", data: { token: tokenOf(name), into: into(next) } });
  const revoke = (name: string) =>
    fleet.submit({ kind: "token.revoke", data: { token: tokenOf(name) } });
  const refused = (code: string) => ({ ok: false, refusal: { code } });

  expect(await revoke("a")).toMatchObject(refused("token_unknown"));
  // A refusal that names an id makes it no token that has lived.
  expect(await revoke("a")).toMatchObject(refused("token_unknown"));
  // All of one append: nobody has looked whether the code was spent before it was.
  const [, first, second, , gone] = await Promise.all([
    issue("code", { once: true }),
    exchange("code", "a"),
    exchange("code", "b"),
    revoke("a"),
    revoke("a"),
  ]);
  expect(first).toMatchObject({ ok: true });
  expect(second).toMatchObject(refused("token_ended"));
  expect(gone).toMatchObject(refused("token_ended"));
  expect(await exchange("code", "b")).toMatchObject(refused("token_ended"));
  expect(await issue("a")).toMatchObject(refused("token_taken"));
  // Of another append, and by its own entries alone.
  await issue("x");
  await revoke("x");
  expect(await revoke("x")).toMatchObject(refused("token_ended"));
  expect(await revoke("never")).toMatchObject(refused("token_unknown"));
});
