import { expect, test } from "vitest";
import { subjectOf } from "../../src/kernel/subject.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import { record, type Steps } from "../library/explain/recording.ts";
import {
  acquire,
  act,
  enactLanes,
  outside,
  release,
  renew,
  revoke,
  TTL_MS,
} from "../support/lease-scenario.ts";
import { admit, after, ask, create, idOf, start, stop, tick } from "../support/scenario.ts";

/** What the entries of a play are about, with their kinds. */
async function subjectsOf(...steps: Steps): Promise<readonly (readonly unknown[])[]> {
  const { journal } = await record(...steps);
  const entries = await journal.read(GENESIS, 100);
  // The index has found each under just this key.
  for (const entry of entries) {
    const subject = subjectOf(entry);
    const found = subject === null ? [entry] : await journal.about(subject, 100);
    expect(found).toContainEqual(entry);
  }
  return entries.map((entry) => [entry.kind, subjectOf(entry)]);
}

test("[JN37] an entry is about the lease that it grants, changes or ends", async () => {
  const play = [
    create(),
    acquire("ann", "a/**"),
    act(["lease.narrow", "ann"], { region: ["a/b"] }),
    after(40_000),
    renew("ann"),
    act(["lease.hand_over", "ann"], { to: outside("bob") }),
    release("bob"),
    acquire("ann", "a"),
    revoke("ann"),
    acquire("cleo", "c"),
    after(60_000),
    tick,
  ] as const;
  expect(await subjectsOf(...play)).toEqual([
    ["fleet.created", null],
    ["lease.granted", "l-2"],
    ["lease.narrowed", "l-2"],
    ["lease.renewed", "l-2"],
    ["lease.handed_over", "l-2"],
    ["lease.released", "l-2"],
    ["lease.granted", "l-7"],
    ["lease.revoked", "l-7"],
    ["lease.granted", "l-9"],
    ["lease.lapsed", "l-9"],
  ]);
});

test("[JN37] a worker's lease is not about the worker, or a lent one its lender", async () => {
  const play = [
    create(),
    start("p"),
    start("c", { under: "p" }),
    acquire("@p", "a/**"),
    act(["lease.split", "@p"], { region: ["a/b"], to: idOf("c"), ttl_ms: TTL_MS }),
  ] as const;
  const about = (await subjectsOf(...play)).slice(-2);
  expect(about).toEqual([
    ["lease.granted", "l-6"],
    ["lease.granted", "l-7"],
  ]);
});

test("[JN37] a refusal is about the lease or worker that its command named", async () => {
  const play = [
    create(),
    start("p"),
    acquire("ann", "a"),
    acquire("bob", "a"),
    release("ann", { as: "bob" }),
    ask("lease.revoke", { lease: "l-99", reason: "x" }),
    admit("x", { under: "p", depth: 7 }),
    stop("nobody"),
  ] as const;
  const refused = (await subjectsOf(...play)).filter(([kind]) => kind === "command.refused");
  expect(refused.map(([, subject]) => subject)).toEqual([
    null,
    "l-4",
    "l-99",
    idOf("p"),
    idOf("nobody"),
  ]);
});

test("[JN37] an announcement is about its lane, an enactment about none", async () => {
  const lane = { name: "api", region: ["src/api/**"], aliases: ["backend"] };
  const announce = ask("lane.announce", { lane: "backend", holder: "ann" });
  expect((await subjectsOf(create(), enactLanes([lane]), announce)).slice(1)).toEqual([
    ["lanes.enacted", null],
    ["lane.announced", "lane:api"],
  ]);
});
