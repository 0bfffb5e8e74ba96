// docs/journal.md against the program: what it says of commands and events is asked of the rules,
// and of the histories of simulated fleets.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Clockwork } from "../../../sim/world/clockwork.ts";
import { killFleet, stimulate } from "../../../sim/world/stimulus.ts";
import { World } from "../../../sim/world/world.ts";
import type { Actor } from "../../../src/kernel/actor.ts";
import { checkAuthority } from "../../../src/kernel/authority.ts";
import type { CommandKind } from "../../../src/kernel/command.ts";
import type { Entry } from "../../../src/kernel/entry.ts";
import { EVENT_KINDS } from "../../../src/kernel/event.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { COMMAND_KINDS } from "../../../src/protocol/problem.ts";
import { openSigner } from "../../../src/signing/signer.ts";
import { commandOf } from "../../support/commands.ts";
import { acquire, act, holder, keep, wait } from "../../support/lease-scenario.ts";
import { ask, create, given, idOf, start } from "../../support/scenario.ts";
import { codesIn, section, tableIn } from "../table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/journal.md"), "utf8");

const COMMANDS = tableIn(section(PAGE, "Commands"));

/** How many worlds may be looked at until everything on the page was seen. */
const SEEDS_MAX = 400;
const STEPS = 80;

/** What a simulated fleet has in its journal when it was killed. */
async function historyOf(seed: number): Promise<readonly Entry[]> {
  const signers = ["first", "second", "third"].map((name) =>
    openSigner(`${name} simulated secret`),
  );
  const world = new World({ seed, fault: null, signers });
  const clockwork = new Clockwork(world);
  for (let step = 0; step < STEPS && !world.isBroken; step += 1) {
    if (step === STEPS - 5) killFleet(world);
    else await stimulate(world, clockwork);
    await world.scheduler.settle();
    await world.comeToRest();
  }
  return world.auditor.entries;
}

/** What a history has as written by commands, as `command event`; what time ended is left out. */
function writtenIn(entries: readonly Entry[]): readonly string[] {
  let asked: CommandKind | undefined;
  return entries.flatMap((entry) => {
    asked = entry.command?.kind ?? asked;
    const isByTime =
      entry.kind === "worker.lapsed" ||
      entry.kind === "lease.lapsed" ||
      entry.kind === "place.lapsed" ||
      (entry.kind === "worker.stopping" &&
        ["expired", "quarantine_expired"].includes(entry.data.reason));
    return isByTime || entry.kind === "command.refused" ? [] : [`${asked} ${entry.kind}`];
  });
}

/** What an operator's word alone does to a family, which simulated fleets come to rarely. */
function writtenByWriteOff(): readonly string[] {
  const fleet = create({ on_orphan: "grandparent" });
  const family = [...start("a"), ...start("b", { under: "a" }), ...start("c", { under: "b" })];
  const { play } = given(fleet, family);
  const decision = play.take(ask("worker.write_off", { worker: idOf("b"), reason: "gone" }));
  return (decision?.events ?? []).map(({ kind }) => `worker.write_off ${kind}`);
}

/** What comes of a wait for ground that its holder is given meanwhile: as rarely. */
function writtenByKeeping(): readonly string[] {
  const line = [create(), acquire("ada", "src/**"), wait("bob", "src/**")];
  const { play } = given(...line, act(["lease.hand_over", "ada"], { to: holder("bob") }));
  const decision = play.take(keep("bob"));
  return (decision?.events ?? []).map(({ kind }) => `place.keep ${kind}`);
}

/** What the page has as written by commands, as `command event`. */
const TOLD = COMMANDS.flatMap(({ first, cells }) =>
  codesIn(cells[2] ?? "")
    .filter((code) => EVENT_KINDS.some((kind) => kind === code))
    .map((code) => `${first} ${code}`),
);

test("[PP22] every command and every event has a row, in the program's order", () => {
  expect(COMMANDS.map(({ first }) => first)).toEqual(COMMAND_KINDS);
  expect(tableIn(section(PAGE, "Events")).map(({ first }) => first)).toEqual(EVENT_KINDS);
});

test("[PP22] each command writes what its row says, and nothing else", async () => {
  const played = [...writtenByWriteOff(), ...writtenByKeeping()];
  expect(TOLD).toEqual(expect.arrayContaining([...played]));
  const unseen = new Set(TOLD.filter((pair) => !played.includes(pair)));
  for (let seed = 1; seed <= SEEDS_MAX && (seed <= 10 || unseen.size > 0); seed += 1) {
    const written = writtenIn(await historyOf(seed));
    expect(new Set(written.filter((pair) => !TOLD.includes(pair)))).toEqual(new Set());
    for (const pair of written) unseen.delete(pair);
  }
  expect(unseen).toEqual(new Set());
}, 120_000);

test.each(COMMANDS)("[PP22] who may give $first", ({ first, cells }) => {
  const command = commandOf(first as CommandKind);
  const may = (kind: Actor["kind"], id?: string): boolean =>
    checkAuthority({ kind, via: "library", ...(id === undefined ? {} : { id }) }, command) === null;
  const roles = (["operator", "supervisor", "system"] as const).filter((kind) => may(kind));
  const isAnyone = may("worker", idOf("b"));
  const workers = isAnyone ? ["worker"] : may("worker", idOf("a")) ? ["itself"] : [];
  expect(codesIn(cells[1] ?? "")).toEqual([...roles, ...workers]);
});

test("[PP22] every field of an entry has a row", async () => {
  const [entry] = await historyOf(1);
  const fields = tableIn(section(PAGE, "An entry")).map(({ first }) => first);
  expect(fields.toSorted()).toEqual(Object.keys(entry ?? {}).toSorted());
});

test("[PP22] how often heads are signed, and how long a command id is remembered", () => {
  expect(section(PAGE, "Signed heads")).toContain(`every ${LIMITS.signEveryEntries} entries`);
  expect(LIMITS.commandMemoryMs).toBe(24 * 60 * 60 * 1_000);
  expect(section(PAGE, "An entry").replaceAll(/\s+/g, " ")).toContain("asked again within a day");
});
