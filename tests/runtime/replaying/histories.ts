// Random histories of a fleet: what the simulator brings about, from a seed.
import type { Entry } from "../../../src/kernel/entry.ts";
import { GENESIS, type Journal } from "../../../src/ports/journal.ts";
import { openSigner } from "../../../src/signing/signer.ts";
import { Clockwork } from "../../../sim/world/clockwork.ts";
import { stimulate } from "../../../sim/world/stimulus.ts";
import { World } from "../../../sim/world/world.ts";

const signers = ["first", "second", "third"].map((name) => openSigner(`a secret, the ${name}`));

/**
 * A journal that a simulated world has written in so many steps; it may hold no fleet. A world in
 * which a rule breaks ends there: that it does is for the simulator's own tests to say.
 */
export async function historyOf(seed: number, stepCount: number): Promise<Journal> {
  const world = new World({ seed, fault: null, signers });
  const clockwork = new Clockwork(world);
  for (let step = 0; step < stepCount && !world.isBroken; step += 1) {
    await stimulate(world, clockwork);
    await world.comeToRest();
  }
  return world.store.journal;
}

/** All entries of a journal. */
export async function entriesOf(journal: Journal): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (let head = GENESIS; ; head = entries.at(-1) ?? head) {
    const page = await journal.read(head, 4_096);
    if (page.length === 0) return entries;
    entries.push(...page);
  }
}
