import * as fc from "fast-check";
import { expect, test } from "vitest";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import type { Draft } from "../../src/ports/journal.ts";
import { compareWithReplay, replay } from "../../src/runtime/replay.ts";
import { redecide } from "../../src/runtime/replaying/redeciding.ts";
import { encodeState } from "../../src/runtime/state-codec.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { admit, begin, granted, idOf, KILL, note, OPERATOR, Rig } from "./rig.ts";
import { play, scripts } from "./script.ts";

test("[RP1] a loop lives on what replay gives, and decisions come out again", async () => {
  const kinds = new Set<string>();
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scripts(80), async (script) => {
      const rig = new Rig();
      const loop = await rig.found({
        max_replicas: 5,
        cooldown_ms: 2_000,
        lifetime_ms: 60_000,
        refusals_per_minute: 40,
        budget: { units: { tokens: 30_000, cents: 9 } },
        stop: [{ name: "odd", when: "active_count >= 3 && depth > 0" }],
      });
      await play(rig, loop, script);
      const comparison = await compareWithReplay(rig.journal, loop);
      expect(comparison).toMatchObject({ isSame: true, head: loop.head() });
      expect(comparison.liveHash).toBe(comparison.replayedHash);
      expect(await redecide(rig.journal)).toEqual([]);
      for (const entry of await rig.entries()) {
        kinds.add(entry.kind);
        if (entry.kind === "command.refused") codes.add(entry.data.code);
      }
      await loop.close();
    }),
    // The same scripts each time, because what they reach is asserted below.
    { numRuns: 80, seed: 11 },
  );
  // The scripts do reach the rules: else all of this would hold of nothing.
  const reached = ["worker.registered", "worker.lapsed", "worker.stopped", "worker.quarantined"];
  expect([...kinds]).toEqual(expect.arrayContaining(reached));
  const given = ["max_replicas", "cooldown", "budget_exceeded", "stop_condition", "worker_ended"];
  expect([...codes]).toEqual(expect.arrayContaining(given));
});

test("[RP2] deciding many in one append gives what deciding one by one gives", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const fates = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom("admit", "note")), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(fates, async (script) => {
      const commands = script.map(([name, verb]) => (verb === "admit" ? admit(name) : note(name)));
      const rigs = [new Rig(), new Rig()];
      const states: string[] = [];
      for (const [index, rig] of rigs.entries()) {
        const loop = await rig.found({ max_replicas: 4, refusals_per_minute: 6 });
        const submit = (command: (typeof commands)[number]): Promise<unknown> =>
          loop.submit(command, OPERATOR);
        if (index === 0) await Promise.all(commands.map(submit));
        else for (const command of commands) await submit(command);
        states.push(encodeState(loop.state()));
        await loop.close();
      }
      expect(states[0]).toBe(states[1]);
    }),
    { numRuns: 40 },
  );
});

test("[RP3] replay stops at an entry, and says how far it is", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const states = [encodeState(loop.state())];
  const from = loop.head().seq;
  for (const name of ["a", "b"]) {
    await granted(loop.submit(admit(name), OPERATOR));
    states.push(encodeState(loop.state()));
  }
  for (const [index, state] of states.entries()) {
    const progress: number[] = [];
    const options = { untilSeq: from + index, onProgress: (seq: number) => progress.push(seq) };
    const replayed = await replay(rig.journal, options);
    expect(encodeState(replayed.state)).toBe(state);
    expect(replayed.head.seq).toBe(from + index);
    expect(progress).toEqual([from + index]);
  }
  await loop.close();
});

test("[RP4] an entry that the rules would not have decided so is found by its seq", async () => {
  const rig = new Rig();
  const loop = await rig.found({ max_replicas: 2 });
  await begin(loop, "a");
  await granted(loop.submit(admit("b"), OPERATOR));
  await granted(loop.submit(KILL, OPERATOR));
  await loop.close();
  const entries = await rig.entries();
  const forged = await rewritten(entries, (entry) => {
    if (entry.kind !== "worker.admitted" || entry.data.manifest.name !== "b") return entry.data;
    return { ...entry.data, manifest: { ...entry.data.manifest, depth: -7 } };
  });
  const seq = entries.find((entry) => entry.data !== null && isAdmissionOf(entry, "b"))?.seq;
  const differences = await redecide(forged);
  expect(differences.map((difference) => difference.seq)).toEqual([seq]);
  expect(differences[0]?.recorded).toContain('"depth":-7');
  expect(differences[0]?.decided).toContain('"depth":0');
});

test("[RP5] a loop whose state is not the journal's is told apart", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  const workers = loop.state().workers.delete(idOf("a"));
  const comparison = await compareWithReplay(rig.journal, {
    look: () => loop.look(),
    head: () => loop.head(),
    state: () => ({ ...loop.state(), workers }),
  });
  expect(comparison.isSame).toBe(false);
  expect(comparison.liveHash).not.toBe(comparison.replayedHash);
  await loop.close();
});

function isAdmissionOf(entry: Entry, name: string): boolean {
  return entry.kind === "worker.admitted" && entry.data.manifest.name === name;
}

/** A journal like another, in which some entries say something else; its chain is sound. */
async function rewritten(
  entries: readonly Entry[],
  change: (entry: Entry) => Entry["data"],
): Promise<ReturnType<typeof memoryJournal>> {
  const journal = memoryJournal({ clock: new FakeClock() });
  const drafts = entries.map((entry): Draft => {
    const { fleet, rules, id, actor, command, kind } = entry;
    // The kind is that of the entry, and so is the data's form.
    const event = { kind, data: change(entry) } as Draft["event"];
    return { fleet, rules, id, actor, command, event };
  });
  await journal.append(await journal.head(), () => drafts);
  return journal;
}
