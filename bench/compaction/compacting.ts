// Compacts a journal, as a process beside the one that writes to it. Arguments: the folder, and the
// newest entry that may go. Prints how many entries were moved.
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/system/clock.ts";

const [folder = "", untilSeq = ""] = process.argv.slice(2);
const journal = await openSqliteJournal({ folder, clock: systemClock() });
const { movedCount } = await journal.compact({ untilSeq: Number(untilSeq) });
await journal.close();
process.stdout.write(`${movedCount}\n`);
