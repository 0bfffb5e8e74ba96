// One of several processes that admit workers into one fleet at once. Each round it submits a
// command under an id that all of them use, and a few of its own; whoever is admitted registers and
// ends. Prints a JSON report: what was answered under each shared id, and the codes it was refused
// with. Arguments: the folder of the journal, a name, how many rounds.
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import {
  admit,
  exited,
  granted,
  manifestIn,
  OPERATOR,
  register,
  SIGNER,
  SUPERVISOR,
} from "./rig.ts";

const [folder = "", name = "", rounds = "1"] = process.argv.slice(2);
const journal = await openSqliteJournal({ folder, clock: systemClock() });
const loop = await openLoop({ journal, signer: SIGNER, random: systemRandom() });
const codes: Record<string, number> = {};
const shared: Record<string, unknown> = {};

async function live(instance: string, under: Loop): Promise<void> {
  const answer = await under.submit(admit(instance), OPERATOR);
  if (!answer.ok) {
    codes[answer.refusal.code] = (codes[answer.refusal.code] ?? 0) + 1;
    return;
  }
  await granted(under.submit(register(manifestIn(answer.entries)), OPERATOR));
  await granted(under.submit(exited(instance), SUPERVISOR));
}

for (let round = 0; round < Number(rounds); round += 1) {
  const letter = "abcdefghijklmnopqrstuvwxyz"[round] ?? "a";
  const id = `shared-${letter}`;
  const note = { kind: "halt.request", data: { handle: letter, reason: "together" } } as const;
  const [answer] = await Promise.all([
    loop.submit(note, OPERATOR, { id }),
    ...["x", "y", "z"].map((one) => live(`${name}${letter}${one}`, loop)),
  ]);
  shared[id] = answer.seq;
}
await loop.close();
await journal.close();
process.stdout.write(JSON.stringify({ codes, shared }));
