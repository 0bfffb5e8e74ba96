// One of the files that know adapters: journal and rules, for a single command about ground that
// no supervisor answers.

import { openSqliteJournal } from "../journal/sqlite/open.ts";
import { JudgeMissing } from "../kernel/rules/judge.ts";
import { ruleOn } from "../kernel/rules/ruling.ts";
import type { Direct } from "../library/desk/desk.ts";
import { directOn, type DirectSeat } from "../library/desk/direct.ts";
import { adoptKill } from "../library/kill/adoption.ts";
import type { Permit } from "../ports/permit.ts";
import type { Signer } from "../ports/signer.ts";
import { openLoopBy } from "../runtime/journal-loop.ts";
import type { Loop } from "../runtime/loop.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { systemClock } from "../system/clock.ts";
import { lookAtGround } from "../system/ground/ground.ts";
import { systemRandom } from "../system/random.ts";

/**
 * After how many entries such a call signs the head, so that the next one has few to fold; one
 * call in so many takes the time for it.
 */
const SIGN_EVERY_ENTRIES = 32;

/** The journal as it was opened, and how it is closed. */
export interface OpenedDirect extends Direct {
  close(): Promise<void>;
}

/** Whose journal is opened, and who asks there. */
export interface DirectOptions extends Pick<DirectSeat, "host" | "owner"> {
  readonly signer: Signer;
  readonly permit: Permit;
}

/** Opens the journal in a state folder for a desk; the caller closes it. Throws its `Fault`s. */
export async function openDirect(
  stateDir: string,
  { signer, permit, host, owner }: DirectOptions,
): Promise<OpenedDirect> {
  const clock = systemClock();
  const journal = await openSqliteJournal({ folder: stateDir, clock, create: false });
  try {
    const loop = await openLoopBy({
      journal,
      rules: ruleOn,
      signer,
      random: systemRandom(),
      signEveryEntries: SIGN_EVERY_ENTRIES,
      signsOnClose: false,
    });
    const { fleet } = loop.state();
    const seat: DirectSeat = {
      fleet: fleet ?? "",
      loop,
      submit: judged(loop),
      store: { journal, permit, address: { kind: "sqlite", dir: stateDir } },
      timers: SYSTEM_TIMERS,
      lookAtGround,
      host,
      owner,
    };
    // A kill that could not be journaled binds all the same.
    if (fleet !== null) await adoptKill(seat);
    const close = async (): Promise<void> => {
      await loop.close();
      await journal.close();
    };
    return { ...directOn(seat), close };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/**
 * Submits by the rules alone, and again by rules and judge where the contract turns out to have
 * conditions: most have none on leases, and their parser is a good part of all that is loaded.
 */
function judged(loop: Loop): Loop["submit"] {
  return async (...asked) => {
    try {
      return await loop.submit(...asked);
    } catch (error) {
      // Nothing was decided then.
      if (!(error instanceof JudgeMissing)) throw error;
      await import("../kernel/condition/condition.ts");
      return loop.submit(...asked);
    }
  };
}
