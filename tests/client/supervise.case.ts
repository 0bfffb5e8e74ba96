// A supervisor on a forced rung, as a process of its own. Arguments: the rung, then what
// `startSupervisor` adds: `supervise --dir STATE_DIR`.
import { writeSync } from "node:fs";
import { AlreadySupervised, supervise } from "../../src/compose/supervisor.ts";
import { Fault } from "../../src/ports/fault.ts";

const [rung = "best", , , dir = ""] = process.argv.slice(2);

try {
  const supervisor = await supervise({ dir, rung: rung as "best", idleMs: 60_000 });
  process.on("SIGTERM", () => void supervisor.drain({ stopGraceMs: 0 }));
  say({ ok: true, data: supervisor.status });
  await supervisor.untilLeft();
  process.exit(0);
} catch (error) {
  if (error instanceof AlreadySupervised) process.exit(0);
  if (!(error instanceof Fault)) throw error;
  say({ ok: false, error: { code: error.code, message: error.message, retryable: false } });
  process.exit(5);
}

/** One line, for whoever has started this and may have gone since. */
function say(answer: object): void {
  try {
    writeSync(1, `${JSON.stringify(answer)}\n`);
  } catch {
    // The fleet is served all the same.
  }
}
